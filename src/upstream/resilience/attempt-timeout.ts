/** Attempt timeout: each attempt has its own time. Requests that wait for it leave at their deadlines. */
import type { Clock } from '../../clock.ts';
import { ownSignal } from '../../own-signal.ts';
import type { Signal } from '../../signal.ts';
import type { Dispatch } from '../call.ts';
import { callError } from '../call.ts';

export interface AttemptBound {
  /** Follows that of the dispatch, and is aborted when the time is over. */
  readonly signal: Signal;
  onEnd(): void;
}

export type Bound = (dispatch: Pick<Dispatch, 'operation' | 'signal'>) => AttemptBound;

/** Fails an attempt that takes longer than its operation's `timeoutMs`, and breaks its connection. */
export function attemptTimeout(clock: Clock): Bound {
  return function boundAttempt(dispatch) {
    dispatch.signal.throwIfAborted();
    const { timeoutMs } = dispatch.operation.policies;
    const own = ownSignal(dispatch.signal);
    const cancelTimer = clock.after(timeoutMs, () =>
      own.abort(callError(dispatch, 'timeout', `did not answer within ${timeoutMs} ms`)),
    );
    return {
      signal: own.signal,
      onEnd() {
        cancelTimer();
        own.release();
      },
    };
  };
}
