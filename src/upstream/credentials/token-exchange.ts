/** Tokens that an issuer gives for those of callers (RFC 8693), kept for the latest callers. */
import { hash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { createRest } from './rest.ts';
import { bound, createToken } from './token.ts';
import type { Token, TokenSource } from './token.ts';
import { TokenError } from './token-error.ts';
import type { Granted } from './token-request.ts';

/** The token for one caller. */
export interface CallerToken {
  readonly source: TokenSource;
  /** The same for all calls with one token, as long as that is kept. */
  readonly token: Token;
}

/** Finds the token for that of a caller, of which only the hash is kept. */
export type ExchangeToken = (subject: string) => CallerToken;

/** The tokens that are kept; those that were not used for the longest time go first (LRU). */
const mostTokens = 10_000;
/** The requests to the issuer at a time: more callers would only wait for their deadlines. */
const mostInFlight = 1_000;

export function createTokenExchange(
  ask: (subject: string) => Promise<Granted>,
  clock: Clock,
  most = mostTokens,
): ExchangeToken {
  // In the order of their use.
  const tokens = new Map<string, Token>();
  // An issuer that is down is asked for no caller; one that refuses a token is, for the others.
  const rest = createRest(clock);
  let inFlight = 0;

  async function askFor(subject: string): Promise<Granted> {
    if (inFlight >= mostInFlight) throw new TokenError('too many tokens are asked for', false);
    inFlight += 1;
    try {
      return await ask(subject);
    } finally {
      inFlight -= 1;
    }
  }

  return function exchangeToken(subject) {
    const name = hash('sha256', subject, 'base64url');
    const token = tokens.get(name) ?? createToken(clock, rest);
    tokens.delete(name);
    tokens.set(name, token);
    if (tokens.size > most) tokens.delete(tokens.keys().next().value ?? '');
    return { token, source: bound(token, () => askFor(subject)) };
  };
}
