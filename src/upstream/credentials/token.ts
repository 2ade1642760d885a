/**
 * A token that all calls share: fetched once (single-flight), renewed before it expires, and not
 * asked for again at once when the issuer has failed.
 */
import type { Clock } from '../../clock.ts';
import { TokenError } from './token-request.ts';
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

/** While the issuer rests. */
interface Rest {
  readonly until: number;
  readonly failures: number;
  readonly error: TokenError;
}

/** How long a token is kept whose issuer does not say how long it is good for. */
const unknownLifeMs = 300_000;
/** A token is renewed in the last fifth of its life, but at most this long before its end. */
const earliestMs = 60_000;
/** Within this time of its end, a token might expire on its way. */
const wayMs = 5_000;
/** The pause after the first failure, and the longest one. */
const minRestMs = 250;
const maxRestMs = 30_000;

export function createTokenSource(ask: () => Promise<Granted>, clock: Clock): TokenSource {
  let held: Held | undefined;
  let latest = '';
  let rest: Rest | undefined;
  let flight: Promise<void> | undefined;

  async function renew(): Promise<void> {
    // Its life has begun when the issuer made it, which is before it arrives.
    const askedAt = clock.now();
    try {
      const { token, livesMs = unknownLifeMs } = await ask();
      latest = token;
      held = toHeld(token, askedAt, livesMs, clock.random());
      rest = undefined;
    } catch (error) {
      rest = toRest(toTokenError(error), rest, clock);
      throw rest.error;
    }
  }

  /** Begins a renewal, unless one is under way or the issuer rests. */
  function begin(): Promise<void> | undefined {
    if (flight !== undefined || isResting()) return flight;
    flight = renew().finally(() => (flight = undefined));
    // A renewal in the background has no caller, and its failure only begins a rest.
    flight.catch(() => undefined);
    return flight;
  }

  function isResting(): boolean {
    return rest !== undefined && clock.now() < rest.until;
  }

  return {
    text: () => latest,
    ready() {
      const now = clock.now();
      if (held !== undefined && now < held.renewAt) return undefined;
      const renewal = begin();
      if (held !== undefined && now < held.waitAt) return undefined;
      const hasUsable = held !== undefined && now < held.endsAt;
      if (renewal !== undefined) return hasUsable ? renewal.catch(() => undefined) : renewal;
      if (hasUsable || rest === undefined) return undefined;
      throw restError(rest, now);
    },
    isInUse: (token) => held?.token === token,
    drop() {
      held = undefined;
    },
  };
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

/** With full jitter, or as long as the issuer asks for. */
function toRest(error: TokenError, before: Rest | undefined, clock: Clock): Rest {
  const failures = (before?.failures ?? 0) + 1;
  const longest = Math.min(minRestMs * 2 ** (failures - 1), maxRestMs);
  const asked = Math.min((error.retryAfterSeconds ?? 0) * 1_000, maxRestMs * 10);
  return { error, failures, until: clock.now() + (asked || longest * clock.random()) };
}

function restError({ error, until }: Rest, now: number): TokenError {
  const seconds = Math.max(1, Math.ceil((until - now) / 1_000));
  return new TokenError(error.message, error.isMisconfigured, seconds);
}

function toTokenError(error: unknown): TokenError {
  if (error instanceof TokenError) return error;
  return new TokenError('no token, for an unexpected reason', true);
}
