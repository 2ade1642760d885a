/** Opens the store of rate limits that the settings ask for. */
import type { Clock } from '../../clock.ts';
import type { RedisAddress } from '../../redis.ts';
import type { LimitStore } from './limit-store.ts';
import { createMemoryLimits } from './memory-limits.ts';

export interface LimitStoreOptions {
  /** Absent: each process counts for itself. */
  readonly redis?: RedisAddress | undefined;
  readonly clock: Clock;
  /** Called when Redis cannot be used, at most once a minute. */
  readonly onWarning: (message: string) => void;
  /** Called when Redis is used again, after a warning. */
  readonly onReturn?: ((message: string) => void) | undefined;
}

/** Opens counts in Redis, which need not be reachable yet, or in memory. */
export async function openLimitStore(options: LimitStoreOptions): Promise<LimitStore> {
  const { redis, clock, onWarning, onReturn } = options;
  if (redis === undefined) return createMemoryLimits({ clock });
  const { createRedisLimits } = await import('./redis-limits.ts');
  return createRedisLimits({ address: redis, clock, onWarning, onReturn });
}
