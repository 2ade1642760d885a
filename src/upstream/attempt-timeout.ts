/** Attempt timeout: one attempt gets its own time. The requests that wait for it leave at their deadlines. */
import type { Clock } from '../clock.ts';
import type { Policy } from './call.ts';
import { callError } from './call.ts';

/** Fails an attempt that takes longer than its operation's `timeoutMs`, and breaks its connection. */
export function attemptTimeout(clock: Clock): Policy {
  return (next) => async (call) => {
    call.signal.throwIfAborted();
    const { timeoutMs } = call.operation.policies;
    // `AbortSignal.any` with a timeout signal costs twenty times as much and keeps memory until it fires.
    const attempt = new AbortController();
    const follow = (): void => attempt.abort(call.signal.reason);
    const cancelTimer = clock.after(timeoutMs, () =>
      attempt.abort(callError(call, 'timeout', `did not answer within ${timeoutMs} ms`)),
    );
    call.signal.addEventListener('abort', follow, { once: true });
    try {
      return await next({ ...call, signal: attempt.signal });
    } finally {
      cancelTimer();
      call.signal.removeEventListener('abort', follow);
    }
  };
}
