/** Opens the store that settings ask for. */
import type { Clock } from '../../clock.ts';
import type { CacheStore } from './cache-store.ts';
import { createMemoryStore } from './memory-store.ts';
import type { RedisAddress } from './redis-store.ts';

export interface CacheStoreOptions {
  /** Absent: this process's memory keeps the answers. */
  readonly redis?: RedisAddress | undefined;
  readonly clock: Clock;
  /** Told when the shared store cannot be used, at most once a minute. */
  readonly onWarning: (message: string) => void;
}

/** Opens the Redis at `redis`, which need not be there yet; without one, this process's memory. */
export async function openCacheStore(options: CacheStoreOptions): Promise<CacheStore> {
  const { redis, clock, onWarning } = options;
  if (redis === undefined) return createMemoryStore({ clock });
  const { createRedisStore } = await import('./redis-store.ts');
  return createRedisStore({ address: redis, clock, onWarning });
}
