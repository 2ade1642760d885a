/**
 * Sends a call once more after a 401 to credentials of the gateway's own, if there are new ones by
 * then. A 401 says that nothing was done, so this goes for writes, too.
 */
import type { Clock } from '../../clock.ts';
import { UpstreamError } from '../../errors.ts';
import type { Dispatch, Policy } from '../call.ts';
import type { TokenSource } from './token.ts';

/** New credentials of one service. */
export interface Renewal {
  /** Resolves to whether another attempt may succeed, since `rejected` is not sent again. */
  renew(rejected: string): Promise<boolean>;
  /** The service has accepted these. */
  accept(sent: string): void;
}

/** `renewalFor`, `sentWith`: those of a dispatch, and the credentials of its latest attempt. */
export function renew(
  renewalFor: (dispatch: Dispatch) => Renewal,
  sentWith: (dispatch: Dispatch) => string | undefined,
): Policy<Dispatch> {
  return (next) => {
    return async function sendRenewed(dispatch) {
      try {
        return await sendAccepted(dispatch);
      } catch (error) {
        const rejected = isUnauthorized(error) ? sentWith(dispatch) : undefined;
        if (rejected === undefined || !(await renewalFor(dispatch).renew(rejected))) throw error;
        dispatch.signal.throwIfAborted();
        return sendAccepted(dispatch);
      }
    };

    async function sendAccepted(dispatch: Dispatch) {
      const reply = await next(dispatch);
      const sent = sentWith(dispatch);
      if (sent !== undefined) renewalFor(dispatch).accept(sent);
      return reply;
    }
  };
}

function isUnauthorized(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.isEnveloped) return false;
  return error.kind === 'status' && error.status === 401;
}

/** How often a token is renewed for a service that rejects it, at most. */
const rejectedEveryMs = 10_000;
/** The same for a token that the service has accepted before. */
const acceptedEveryMs = 1_000;

/** A service that rejects every token must not flood the issuer. */
export function tokenRenewal(source: TokenSource, clock: Clock): Renewal {
  let accepted = '';
  let renewedAt = -Infinity;
  return {
    async renew(rejected) {
      if (!source.isInUse(rejected)) return true;
      const everyMs = rejected === accepted ? acceptedEveryMs : rejectedEveryMs;
      if (clock.now() - renewedAt < everyMs) return false;
      renewedAt = clock.now();
      accepted = '';
      source.drop();
      return true;
    },
    accept(sent) {
      accepted = sent;
    },
  };
}

/** Looks whether files have changed; `value`: the credentials they make. */
export function fileRenewal(
  value: () => string | undefined,
  files: readonly { lookAgain(): Promise<void> }[],
): Renewal {
  return {
    async renew(rejected) {
      await Promise.all(files.map((file) => file.lookAgain()));
      return value() !== rejected;
    },
    accept: () => undefined,
  };
}
