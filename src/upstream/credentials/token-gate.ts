/** The gate at which an attempt waits for a token, before it holds any permit of the service. */
import { untilAborted } from '../../own-signal.ts';
import type { Gate, Permit } from '../attempt.ts';
import type { Dispatch } from '../call.ts';
import { callError } from '../call.ts';
import type { TokenSource } from './token.ts';
import { RefusedTokenError, TokenError } from './token-error.ts';

/** There is nothing to give back. */
const free: Permit = Object.freeze({ onEnd: () => undefined });

/** `tokens`: the token that a dispatch is sent with. */
export function tokenGate(tokens: (dispatch: Dispatch) => TokenSource | undefined): Gate {
  return function passWithToken(dispatch) {
    if (dispatch.operation.auth === undefined) return free;
    try {
      const renewal = tokens(dispatch)?.ready();
      return renewal === undefined ? free : waitFor(renewal, dispatch);
    } catch (error) {
      throw toCallError(error, dispatch);
    }
  };
}

async function waitFor(renewal: Promise<void>, dispatch: Dispatch): Promise<Permit> {
  dispatch.signal.throwIfAborted();
  try {
    await untilAborted(renewal, dispatch.signal);
    return free;
  } catch (error) {
    throw toCallError(error, dispatch);
  }
}

/** Anything else is the reason why the call was aborted. */
function toCallError(error: unknown, dispatch: Dispatch): unknown {
  if (!(error instanceof TokenError)) return error;
  const { message, isMisconfigured, retryAfterSeconds } = error;
  return callError(dispatch, 'credentials', message, {
    isMisconfigured,
    ...(error instanceof RefusedTokenError && {
      rejectedCredentials: { challenges: error.challenge },
    }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}
