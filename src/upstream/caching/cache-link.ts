/** Whether Redis can be used: it is asked while it answers in time, and passed over while it does not. */
import type { Redis } from 'ioredis';
import type { Clock } from '../../clock.ts';

export interface LinkOptions {
  readonly clock: Clock;
  /** Told when Redis is passed over, at most once a minute. */
  readonly onWarning: (message: string) => void;
  /** Called when it can be used, before it is. */
  readonly onBack: () => void;
}

export interface Link {
  /** Waits until it is known whether Redis answers. */
  open(): Promise<void>;
  /** Does `ask`; when Redis is known not to answer, or has just not answered, `instead`. */
  use<T>(ask: () => Promise<T>, instead: () => T | Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** How long Redis is left alone before it is tried again. */
const pauseMs = 1_000;
const warnEveryMs = 60_000;

/**
 * After a failure Redis is tried in the background, at once and then every second; until that succeeds no
 * call waits for it. At once, since this process may have been the slow one.
 */
export function watchRedis(redis: Redis, { clock, onWarning, onBack }: LinkOptions): Link {
  let state: 'up' | 'down' | 'closed' = 'down';
  let reason = 'no connection';
  let warnedAt = -Infinity;
  let cancelRetry: (() => void) | undefined;

  redis.on('ready', () => void retry());
  redis.on('error', fail);
  redis.on('close', () => {
    if (state === 'up') fail(new Error('the connection was closed'));
  });

  return {
    async open() {
      // Why it failed was told by the event `error`.
      await redis.connect().catch(() => undefined);
      await retry();
    },
    async use(ask, instead) {
      if (state !== 'up') return instead();
      try {
        return await ask();
      } catch (error) {
        fail(error);
        return instead();
      }
    },
    async close() {
      state = 'closed';
      cancelRetry?.();
      const isConnected = ['connecting', 'connect', 'ready'].includes(redis.status);
      redis.disconnect();
      if (isConnected) await new Promise((resolve) => redis.once('end', resolve));
    },
  };

  function fail(error: unknown): void {
    reason = error instanceof Error ? error.message : String(error);
    if (state !== 'up') return;
    state = 'down';
    void retry();
  }

  /** By writing: a Redis that is full, or only a replica, is of no use either. */
  async function retry(): Promise<void> {
    if (state !== 'down') return;
    try {
      await redis.set('plait:2:probe', '1', 'PX', pauseMs);
      comeBack();
    } catch (error) {
      if (redis.status === 'ready') fail(error);
      stayAway();
    }
  }

  function comeBack(): void {
    if (state !== 'down') return;
    state = 'up';
    cancelRetry?.();
    onBack();
  }

  function stayAway(): void {
    if (state !== 'down') return;
    cancelRetry?.();
    cancelRetry = clock.after(pauseMs, () => void retry());
    if (clock.now() - warnedAt < warnEveryMs) return;
    warnedAt = clock.now();
    onWarning(
      `Redis cannot be used (${reason}): answers are kept in this process until it is back`,
    );
  }
}
