/**
 * A token that calls share: fetched once (single-flight), renewed before it expires, and not asked
 * for again at once when the issuer has failed.
 */
import type { Clock } from '../../clock.ts';
import { createRest } from './rest.ts';
import type { Rest } from './rest.ts';
import { RefusedTokenError, TokenError } from './token-error.ts';
import type { Granted } from './token-request.ts';

export interface TokenSource {
  /** The latest token, which may have expired; empty before the first one. */
  text(): string;
  /**
   * A promise to wait for, if there is no token that can be used; it belongs to no caller. Begins
   * to renew a token that expires soon, without a wait.
   *
   * @throws TokenError while the issuer rests after a failure, and there is no token.
   */
  ready(): Promise<void> | undefined;
  /** Whether calls would be sent with `token`: it was neither dropped nor replaced. */
  isInUse(token: string): boolean;
  /** No call waits for less than another token from now on. */
  drop(): void;
}

interface Held {
  readonly token: string;
  /** From here on, a call begins the renewal, from `waitAt` on it waits for it. */
  readonly renewAt: number;
  readonly waitAt: number;
  readonly endsAt: number;
}

/** How long a token is kept whose issuer does not say how long it is good for. */
const unknownLifeMs = 300_000;
/** A token is renewed in the last fifth of its life, but at most this long before its end. */
const earliestMs = 60_000;
/** Within this time of its end, a token might expire on its way. */
const wayMs = 5_000;

/** Gets one from the issuer. */
export type Ask = () => Promise<Granted>;

/** A source whose caller says how the issuer is asked. */
export interface Token extends Omit<TokenSource, 'ready'> {
  ready(ask: Ask): Promise<void> | undefined;
}

export function createTokenSource(ask: Ask, clock: Clock): TokenSource {
  return bound(createToken(clock), ask);
}

export function bound(token: Token, ask: Ask): TokenSource {
  return { ...token, ready: () => token.ready(ask) };
}

/** `ofIssuer`: its pause after a failure that is not the fault of what it was asked with. */
export function createToken(clock: Clock, ofIssuer: Rest = createRest(clock)): Token {
  let held: Held | undefined;
  let latest = '';
  let flight: Promise<void> | undefined;
  const own = createRest(clock);

  async function renew(ask: Ask): Promise<void> {
    // Its life has begun when the issuer made it, which is before it arrives.
    const askedAt = clock.now();
    try {
      const { token, livesMs = unknownLifeMs } = await ask();
      latest = token;
      held = toHeld(token, askedAt, livesMs, clock.random());
      for (const rest of [own, ofIssuer]) rest.end();
    } catch (thrown) {
      const error = toTokenError(thrown);
      if (error instanceof RefusedTokenError) held = undefined;
      (error instanceof RefusedTokenError ? own : ofIssuer).begin(error);
      throw error;
    }
  }

  function begin(ask: Ask): Promise<void> {
    flight = renew(ask).finally(() => (flight = undefined));
    // A renewal in the background has no caller, and its failure only begins a rest.
    flight.catch(() => undefined);
    return flight;
  }

  return {
    text: () => latest,
    ready(ask) {
      const now = clock.now();
      if (held !== undefined && now < held.renewAt) return undefined;
      const resting = own.error() ?? ofIssuer.error();
      const renewal = flight ?? (resting === undefined ? begin(ask) : undefined);
      if (held !== undefined && now < held.waitAt) return undefined;
      const hasUsable = held !== undefined && now < held.endsAt;
      if (renewal !== undefined) return hasUsable ? renewal.catch(ifRefused) : renewal;
      if (hasUsable || resting === undefined) return undefined;
      throw resting;
    },
    isInUse: (token) => held?.token === token,
    drop() {
      held = undefined;
    },
  };
}

/** A token that is good for a while yet is used, unless its caller is refused by now. */
function ifRefused(error: unknown): void {
  if (error instanceof RefusedTokenError) throw error;
}

function toHeld(token: string, askedAt: number, livesMs: number, chance: number): Held {
  const endsAt = askedAt + livesMs;
  const wayBefore = Math.min(wayMs, livesMs / 2);
  // With jitter, so that many gateways do not renew at once.
  const renewBefore = Math.min(livesMs / 5, earliestMs) * (0.5 + 0.5 * chance);
  return {
    token,
    endsAt,
    waitAt: endsAt - wayBefore,
    renewAt: endsAt - Math.max(renewBefore, wayBefore),
  };
}

function toTokenError(error: unknown): TokenError {
  if (error instanceof TokenError) return error;
  return new TokenError('no token, for an unexpected reason', true);
}
