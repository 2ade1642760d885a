/** Attempt timeout: one attempt gets its own time. The requests that wait for it leave at their deadlines. */
import type { Clock } from '../clock.ts';
import type { Policy } from './call.ts';
import { callError } from './call.ts';
import { ownSignal } from './shared-signal.ts';

/** Fails an attempt that takes longer than its operation's `timeoutMs`, and breaks its connection. */
export function attemptTimeout(clock: Clock): Policy {
  return (next) => async (call) => {
    call.signal.throwIfAborted();
    const { timeoutMs } = call.operation.policies;
    const attempt = ownSignal(call.signal);
    const cancelTimer = clock.after(timeoutMs, () =>
      attempt.abort(callError(call, 'timeout', `did not answer within ${timeoutMs} ms`)),
    );
    try {
      return await next({ ...call, signal: attempt.signal });
    } finally {
      cancelTimer();
      attempt.release();
    }
  };
}
