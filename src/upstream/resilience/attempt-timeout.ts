/**
 * Attempt timeout: every attempt has its own timer. Requests that wait for the attempt have their
 * own deadlines.
 */
import type { Clock } from '../../clock.ts';
import { ownSignal } from '../../own-signal.ts';
import type { Signal } from '../../signal.ts';
import type { Dispatch } from '../call.ts';
import { callError } from '../call.ts';

export interface RunningTimeout {
  /** Follows the signal of the dispatch, and is aborted at the timeout. */
  readonly signal: Signal;
  /** Lets only the timeout abort it from now on. */
  stopFollowing(): void;
  onEnd(): void;
}

export type StartTimeout = (dispatch: Pick<Dispatch, 'operation' | 'signal'>) => RunningTimeout;

/** Aborts an attempt, and so its connection, after the `timeoutMs` of its operation. */
export function attemptTimeout(clock: Clock): StartTimeout {
  return function startTimeout(dispatch) {
    dispatch.signal.throwIfAborted();
    const { timeoutMs } = dispatch.operation.policies;
    const own = ownSignal(dispatch.signal);
    const cancelTimer = clock.after(timeoutMs, () =>
      own.abort(callError(dispatch, 'timeout', `did not answer within ${timeoutMs} ms`)),
    );
    return {
      signal: own.signal,
      stopFollowing: own.release,
      onEnd() {
        cancelTimer();
        own.release();
      },
    };
  };
}
