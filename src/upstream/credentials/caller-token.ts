/** `tokenExchange`: credentials that are made of the bearer token of each caller. */
import { bearerTokenIn } from '../../bearer.ts';
import type { Clock } from '../../clock.ts';
import type { Dispatch } from '../call.ts';
import type { Attachment, Sending } from './attachment.ts';
import { tokenRenewal } from './renew.ts';
import type { Renewal } from './renew.ts';
import { RefusedTokenError } from './token-error.ts';
import type { CallerToken, ExchangeToken } from './token-exchange.ts';
import type { Token } from './token.ts';

export interface OpenTokenExchange {
  readonly exchangeToken: ExchangeToken;
  /** The client at its issuer; no secret. */
  readonly account: string;
}

/**
 * All callers of a dispatch have sent the same token, since its hash is a part of their identity:
 * the first one stands for them.
 */
export function ofCallers({ exchangeToken, account }: OpenTokenExchange, clock: Clock): Attachment {
  /** By the list that all attempts of a dispatch share. */
  const known = new WeakMap<object, CallerToken>();
  const renewals = new WeakMap<Token, Renewal>();

  function tokenFor({ tried, caller }: Dispatch): CallerToken {
    const before = known.get(tried);
    if (before !== undefined) return before;
    const made = exchangeToken(bearerIn(caller.header('authorization')));
    known.set(tried, made);
    return made;
  }

  /** Of a call that was sent: an answer out of a cache may have no dispatch. */
  function knownFor({ tried, caller }: Sending): CallerToken | undefined {
    if (tried !== undefined) return known.get(tried);
    const token = bearerTokenIn(caller?.header('authorization'));
    return token === undefined ? undefined : exchangeToken(token);
  }

  function renewalFor(dispatch: Dispatch): Renewal {
    const { token, source } = tokenFor(dispatch);
    const before = renewals.get(token);
    if (before !== undefined) return before;
    const renewal = tokenRenewal(source, clock);
    renewals.set(token, renewal);
    return renewal;
  }

  return {
    header: 'authorization',
    prefix: 'Bearer ',
    account,
    // A health check has no caller, and is sent without.
    value: (call) => call && knownFor(call)?.source.text(),
    tokens: (dispatch) => dispatch && tokenFor(dispatch).source,
    renewal: renewalFor,
  };
}

/** @throws RefusedTokenError if there is none (RFC 6750, 2.1). */
function bearerIn(authorization: string | undefined): string {
  const token = bearerTokenIn(authorization);
  if (token !== undefined) return token;
  throw new RefusedTokenError('the client has sent no bearer token', 'Bearer');
}
