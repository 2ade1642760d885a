/** Bulkhead: a slow service fills its own places, not the gateway. */
import type { Clock } from '../../clock.ts';
import type { BulkheadConfig } from '../../dsl/policies.ts';
import type { Attempt, End, Turn } from '../call.ts';
import { callError } from '../call.ts';

export interface Bulkhead {
  readonly turn: Turn;
  readonly inFlight: number;
  readonly waiting: number;
}

/**
 * Lets `concurrency` attempts through at once. Up to `queue` more wait, in the order in which they came,
 * each at most `waitMs` and no longer than its request; the others fail at once with the kind `overloaded`.
 */
export function createBulkhead(config: Required<BulkheadConfig>, clock: Clock): Bulkhead {
  const { concurrency, queue, waitMs } = config;
  let inFlight = 0;
  /** What gives each of those who wait its place. */
  const waiting = new Set<() => void>();

  /** Hands the place on, if somebody waits for it. */
  const leave = (): void => {
    const [next] = waiting;
    if (next === undefined) inFlight -= 1;
    else next();
  };

  function waitForPlace(attempt: Attempt): Promise<End> {
    const since = clock.now();
    return new Promise((resolve, reject) => {
      const stopWaiting = (): void => {
        if (attempt.queued !== undefined) attempt.queued.ms = clock.now() - since;
        waiting.delete(enter);
        cancelTimer();
        attempt.signal.removeEventListener('abort', onAbort);
      };
      const enter = (): void => {
        stopWaiting();
        resolve(leave);
      };
      const giveUp = (reason: unknown): void => {
        stopWaiting();
        reject(reason);
      };
      const onAbort = (): void => giveUp(attempt.signal.reason);
      const message = `was not asked: no place was free within ${waitMs} ms`;
      const cancelTimer = clock.after(waitMs, () =>
        giveUp(callError(attempt, 'overloaded', message)),
      );
      attempt.signal.addEventListener('abort', onAbort, { once: true });
      waiting.add(enter);
    });
  }

  return {
    turn(attempt) {
      attempt.signal.throwIfAborted();
      if (inFlight < concurrency) {
        inFlight += 1;
        return leave;
      }
      if (waiting.size < queue) return waitForPlace(attempt);
      throw callError(
        attempt,
        'overloaded',
        `was not asked: ${concurrency} calls are in flight and ${queue} wait`,
      );
    },
    get inFlight() {
      return inFlight;
    },
    get waiting() {
      return waiting.size;
    },
  };
}
