/** Bulkhead: a slow service fills its own places, not the gateway. */
import type { Clock } from '../../clock.ts';
import type { BulkheadConfig } from '../../dsl/policies.ts';
import { createPlaces } from '../../limit.ts';
import type { OnEnd, Permit, Permitted } from '../attempt.ts';
import type { Dispatch } from '../call.ts';
import { callError } from '../call.ts';

export interface Bulkhead {
  readonly permit: Permit;
  readonly inFlight: number;
  readonly waiting: number;
}

/**
 * Lets `concurrency` attempts through at once. Up to `queue` more wait, in order of arrival, each at
 * most `waitMs` and no longer than its request; the others fail at once with the kind `overloaded`.
 */
export function createBulkhead(config: Required<BulkheadConfig>, clock: Clock): Bulkhead {
  const { concurrency, queue, waitMs } = config;
  const places = createPlaces(concurrency);
  let inFlight = 0;
  let waiting = 0;

  function enter(): Promise<Permitted> {
    inFlight += 1;
    return new Promise((resolve) => places.queue((free) => resolve({ onEnd: leaveBy(free) })));
  }

  function leaveBy(free: () => void): OnEnd {
    return function leavePlace() {
      inFlight -= 1;
      free();
    };
  }

  function wait(dispatch: Dispatch): Promise<Permitted> {
    waiting += 1;
    const since = clock.now();
    const { signal } = dispatch;
    return new Promise((resolve, reject) => {
      const stopWaiting = (): void => {
        waiting -= 1;
        cancelTimer();
        signal.removeEventListener('abort', onAbort);
      };
      const leaveQueue = places.queue((free) => {
        stopWaiting();
        inFlight += 1;
        resolve({ onEnd: leaveBy(free), queuedMs: clock.now() - since });
      });
      const giveUp = (reason: unknown): void => {
        stopWaiting();
        leaveQueue();
        reject(reason);
      };
      const onAbort = (): void => giveUp(signal.reason);
      const message = `was not asked: no place was free within ${waitMs} ms`;
      const cancelTimer = clock.after(waitMs, () =>
        giveUp(callError(dispatch, 'overloaded', message)),
      );
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  return {
    permit: function takePlace(dispatch) {
      dispatch.signal.throwIfAborted();
      // A place may be free and somebody wait: it is on its way to them.
      if (inFlight + waiting < concurrency) return enter();
      if (waiting < queue) return wait(dispatch);
      const message = `was not asked: ${concurrency} calls are in flight and ${queue} wait`;
      throw callError(dispatch, 'overloaded', message);
    },
    get inFlight() {
      return inFlight;
    },
    get waiting() {
      return waiting;
    },
  };
}
