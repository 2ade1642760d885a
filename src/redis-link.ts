/** A connection to Redis, which is bypassed while Redis does not answer in time. */
import type { Clock } from './clock.ts';
import { toError } from './errors.ts';
import { onceAMinute } from './quiet.ts';
import type { Redis } from './redis.ts';

export interface LinkOptions {
  readonly clock: Clock;
  /** The name in Redis that probes write to. */
  readonly probe: string;
  /** The way of working without Redis, for the warning: a sentence without its end. */
  readonly meanwhile: string;
  /** Called when Redis is bypassed, at most once a minute. */
  readonly onWarning: (message: string) => void;
  /** Called when Redis is used again, after a warning. */
  readonly onReturn?: ((message: string) => void) | undefined;
  /** Called when Redis answers again, just before it is used again. */
  readonly onBack: () => void;
}

export interface Link {
  /** Resolves once it is known whether Redis answers. */
  open(): Promise<void>;
  /** Calls `ask`; calls `instead` if that fails, or while Redis is bypassed. */
  use<T>(ask: () => Promise<T>, instead: () => T | Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** How long Redis is bypassed before it is probed again. */
const pauseMs = 1_000;

/**
 * Bypasses Redis after a failure, until a probe in the background succeeds: no call waits for it
 * meanwhile. The first probe is sent at once, since it may be this process that was slow, and the
 * next ones every second.
 */
export function watchRedis(redis: Redis, options: LinkOptions): Link {
  const { clock, probe, meanwhile, onWarning, onReturn, onBack } = options;
  let state: 'up' | 'down' | 'closed' = 'down';
  let reason = 'no connection';
  const mayWarn = onceAMinute(clock);
  /** When Redis went, and whether that was said. */
  let downAt = clock.now();
  let hasWarned = false;
  let cancelRetry: (() => void) | undefined;

  redis.on('ready', () => void retry());
  redis.on('error', fail);
  redis.on('close', () => {
    if (state === 'up') fail(new Error('the connection was closed'));
  });

  return {
    async open() {
      // The event `error` has reported why it failed.
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
    reason = toError(error).message;
    if (state !== 'up') return;
    state = 'down';
    downAt = clock.now();
    void retry();
  }

  /** Probes with a write: a Redis that is full or a read-only replica cannot be used either. */
  async function retry(): Promise<void> {
    if (state !== 'down') return;
    try {
      await redis.set(probe, '1', 'PX', pauseMs);
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
    if (hasWarned) onReturn?.(`Redis is used again after ${secondsSince(downAt)} s`);
    hasWarned = false;
  }

  function secondsSince(at: number): number {
    return Math.round((clock.now() - at) / 1_000);
  }

  function stayAway(): void {
    if (state !== 'down') return;
    cancelRetry?.();
    cancelRetry = clock.after(pauseMs, () => void retry());
    if (!mayWarn()) return;
    hasWarned = true;
    onWarning(`Redis cannot be used (${reason}): ${meanwhile} until it is back`);
  }
}
