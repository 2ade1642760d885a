/** Attempt timeout: one attempt gets its own time. The requests that wait for it leave at their deadlines. */
import type { Clock } from '../../clock.ts';
import type { Turn } from '../call.ts';
import { callError } from '../call.ts';
import { ownSignal } from '../../own-signal.ts';

/** Fails an attempt that takes longer than its operation's `timeoutMs`, and breaks its connection. */
export function attemptTimeout(clock: Clock): Turn {
  return (attempt) => {
    attempt.signal.throwIfAborted();
    const { timeoutMs } = attempt.operation.policies;
    const own = ownSignal(attempt.signal);
    const cancelTimer = clock.after(timeoutMs, () =>
      own.abort(callError(attempt, 'timeout', `did not answer within ${timeoutMs} ms`)),
    );
    attempt.signal = own.signal;
    return () => {
      cancelTimer();
      own.release();
    };
  };
}
