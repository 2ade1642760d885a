/** Opens the store that the settings ask for. */
import type { Clock } from '../../clock.ts';
import type { RedisAddress } from '../../redis.ts';
import type { CacheStore } from './cache-store.ts';
import { createMemoryStore } from './memory-store.ts';

export interface CacheStoreOptions {
  /** Absent: entries are stored in the memory of this process. */
  readonly redis?: RedisAddress | undefined;
  readonly clock: Clock;
  /** Called when Redis cannot be used, at most once a minute. */
  readonly onWarning: (message: string) => void;
  /** Called when Redis is used again, after a warning. */
  readonly onReturn?: ((message: string) => void) | undefined;
}

/** Opens a store in Redis, which need not be reachable yet, or one in memory. */
export async function openCacheStore(options: CacheStoreOptions): Promise<CacheStore> {
  const { redis, clock, onWarning, onReturn } = options;
  if (redis === undefined) return createMemoryStore({ clock });
  const { createRedisStore } = await import('./redis-store.ts');
  return createRedisStore({ address: redis, clock, onWarning, onReturn });
}
