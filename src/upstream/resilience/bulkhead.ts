/** Bulkhead: a slow service uses up its own permits, not the gateway. */
import type { Clock } from '../../clock.ts';
import type { BulkheadConfig } from '../../dsl/service-policies.ts';
import { createSemaphore } from '../../limit.ts';
import type { Gate, Permit } from '../attempt.ts';
import type { Dispatch, OnVainWait } from '../call.ts';
import { callError } from '../call.ts';

export interface Bulkhead {
  readonly gate: Gate;
  readonly inFlight: number;
  readonly waiting: number;
}

export interface BulkheadHooks {
  /** Called before an attempt has to wait, and may release a permit. */
  readonly giveWay?: () => void;
  readonly onVainWait?: OnVainWait | undefined;
}

const ignore = (): void => undefined;

/**
 * Lets at most `concurrency` attempts run at once. Up to `queue` more wait, in order of arrival,
 * for at most `waitMs` and no longer than their requests; all others fail at once with the kind
 * `overloaded`. Patient dispatches, which are few, wait as long as their requests and are not
 * limited by the queue.
 */
export function createBulkhead(
  config: Required<BulkheadConfig>,
  clock: Clock,
  { giveWay = ignore, onVainWait = ignore }: BulkheadHooks = {},
): Bulkhead {
  const { concurrency, queue, waitMs } = config;
  const semaphore = createSemaphore(concurrency);
  // Kept for the next attempt while none waits: p-limit makes three promises for each permit.
  const unused: Permit[] = [];
  let inFlight = 0;
  let waiting = 0;

  function enter(): Permit | Promise<Permit> {
    inFlight += 1;
    const permit = unused.pop();
    if (permit !== undefined) return permit;
    return new Promise((resolve) => semaphore.acquire((release) => resolve(permitOf(release))));
  }

  function permitOf(release: () => void): Permit {
    const permit = {
      onEnd: function leaveBulkhead(): void {
        inFlight -= 1;
        if (waiting > 0) release();
        else unused.push(permit);
      },
    };
    return permit;
  }

  function wait(dispatch: Dispatch): Promise<Permit> {
    waiting += 1;
    const since = clock.now();
    const { signal } = dispatch;
    return new Promise((resolve, reject) => {
      const stopWaiting = (): void => {
        waiting -= 1;
        cancelTimer();
        signal.removeEventListener('abort', onAbort);
      };
      const leaveQueue = semaphore.acquire((release) => {
        stopWaiting();
        inFlight += 1;
        resolve({ ...permitOf(release), queuedMs: clock.now() - since });
      });
      const giveUp = (reason: unknown): void => {
        stopWaiting();
        leaveQueue();
        onVainWait(dispatch, clock.now() - since);
        reject(reason);
      };
      const onAbort = (): void => giveUp(signal.reason);
      const message = `was not called: its bulkhead had no free permit within ${waitMs} ms`;
      const cancelTimer = dispatch.isPatient
        ? ignore
        : clock.after(waitMs, () => giveUp(callError(dispatch, 'overloaded', message)));
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  return {
    gate: function enterBulkhead(dispatch) {
      dispatch.signal.throwIfAborted();
      // A released permit may not have reached the first of those that wait yet: it is not free.
      if (inFlight + waiting >= concurrency) giveWay();
      if (inFlight + waiting < concurrency) return enter();
      if (waiting < queue || dispatch.isPatient) return wait(dispatch);
      const full = `is full (${concurrency} in flight, ${queue} waiting)`;
      const message = `was not called: its bulkhead ${full}`;
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
