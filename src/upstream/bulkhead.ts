/** Bulkhead: the door to p-limit. A slow service fills its own places, not the gateway. */
import pLimit from 'p-limit';
import type { Clock } from '../clock.ts';
import type { BulkheadConfig } from '../dsl/policies.ts';
import type { Call, Policy, Reply, Send } from './call.ts';
import { callError } from './call.ts';

export interface Bulkhead {
  readonly policy: Policy;
  readonly inFlight: number;
  readonly waiting: number;
}

/**
 * Lets `concurrency` calls through at once. Up to `queue` more wait, each at most `waitMs` and no longer
 * than its request; the others fail at once with the kind `overloaded`.
 */
export function createBulkhead(config: Required<BulkheadConfig>, clock: Clock): Bulkhead {
  const limit = pLimit(config.concurrency);
  // Those who left stay in p-limit's queue until their turn comes, so it cannot say how many wait.
  let waiting = 0;
  const policy: Policy = (next) => (call) => {
    if (call.signal.aborted) return Promise.reject(call.signal.reason);
    if (limit.activeCount < config.concurrency) return limit(() => next(call));
    if (waiting >= config.queue) {
      return Promise.reject(
        callError(
          call,
          'overloaded',
          `was not asked: ${config.concurrency} calls are in flight and ${config.queue} wait`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      waiting += 1;
      const place = waitForPlace(call, {
        clock,
        waitMs: config.waitMs,
        reject,
        onLeave: () => (waiting -= 1),
      });
      limit(() => enter(place, next, call)).then(resolve, reject);
    });
  };
  return {
    policy,
    get inFlight() {
      return limit.activeCount;
    },
    get waiting() {
      return waiting;
    },
  };
}

interface Waiting {
  readonly gone: boolean;
  leave(): void;
}

/** Rejects when the wait gets too long or the request ends first. */
function waitForPlace(
  call: Call,
  options: {
    clock: Clock;
    waitMs: number;
    reject: (reason: unknown) => void;
    onLeave: () => void;
  },
): Waiting {
  const since = options.clock.now();
  const state = { gone: false, leave };
  const give = (reason: unknown): void => {
    state.gone = true;
    leave();
    options.reject(reason);
  };
  const onAbort = (): void => give(call.signal.reason);
  const cancelTimer = options.clock.after(options.waitMs, () =>
    give(
      callError(call, 'overloaded', `was not asked: no place was free within ${options.waitMs} ms`),
    ),
  );
  call.signal.addEventListener('abort', onAbort, { once: true });
  function leave(): void {
    if (call.queued !== undefined) call.queued.ms = options.clock.now() - since;
    options.onLeave();
    cancelTimer();
    call.signal.removeEventListener('abort', onAbort);
  }
  return state;
}

/** The place is there; nobody may be waiting for it any more. */
async function enter(place: Waiting, next: Send, call: Call): Promise<Reply> {
  if (place.gone) throw callError(call, 'aborted', 'nobody waits any more');
  place.leave();
  return next(call);
}
