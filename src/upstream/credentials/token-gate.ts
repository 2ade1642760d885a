/** The gate at which an attempt waits for a token, before it holds any permit of the service. */
import { untilAborted } from '../../own-signal.ts';
import type { Clock } from '../../clock.ts';
import type { Gate, Permit } from '../attempt.ts';
import type { Dispatch } from '../call.ts';
import { callError } from '../call.ts';
import type { TokenSource } from './token.ts';
import { RefusedTokenError, TokenError } from './token-error.ts';

const ignore = (): void => undefined;

/** There is nothing to give back. */
const free: Permit = Object.freeze({ onEnd: ignore });

/** `tokens`: the token that a dispatch is sent with. */
export function tokenGate(
  tokens: (dispatch: Dispatch) => TokenSource | undefined,
  clock: Pick<Clock, 'now'>,
): Gate {
  return function passWithToken(dispatch) {
    if (dispatch.operation.auth === undefined) return free;
    try {
      const renewal = tokens(dispatch)?.ready();
      return renewal === undefined ? free : waitFor(renewal, dispatch, clock);
    } catch (error) {
      throw toCallError(error, dispatch);
    }
  };
}

async function waitFor(
  renewal: Promise<void>,
  dispatch: Dispatch,
  clock: Pick<Clock, 'now'>,
): Promise<Permit> {
  dispatch.signal.throwIfAborted();
  const since = clock.now();
  try {
    await untilAborted(renewal, dispatch.signal);
    return { onEnd: ignore, tokenMs: clock.now() - since };
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
