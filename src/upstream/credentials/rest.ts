/** The pause after a failure to get a token (back-off): meanwhile the issuer is not asked. */
import type { Clock } from '../../clock.ts';
import { RefusedTokenError, TokenError } from './token-error.ts';

export interface Rest {
  /** The failure, with the time that is left; `undefined`: it is over. */
  error(): TokenError | undefined;
  begin(error: TokenError): void;
  end(): void;
}

interface Pause {
  readonly until: number;
  readonly failures: number;
  readonly error: TokenError;
}

/** The pause after the first failure, and the longest one. */
const minRestMs = 250;
const maxRestMs = 30_000;

export function createRest(clock: Clock): Rest {
  let pause: Pause | undefined;
  return {
    error() {
      const now = clock.now();
      return pause === undefined || now >= pause.until ? undefined : errorOf(pause, now);
    },
    begin(error) {
      pause = toPause(error, pause, clock);
    },
    end() {
      pause = undefined;
    },
  };
}

/** With full jitter, or as long as the issuer asks for. */
function toPause(error: TokenError, before: Pause | undefined, clock: Clock): Pause {
  const failures = (before?.failures ?? 0) + 1;
  const longest = Math.min(minRestMs * 2 ** (failures - 1), maxRestMs);
  const asked = Math.min((error.retryAfterSeconds ?? 0) * 1_000, maxRestMs * 10);
  return { error, failures, until: clock.now() + (asked || longest * clock.random()) };
}

function errorOf({ error, until }: Pause, now: number): TokenError {
  if (error instanceof RefusedTokenError) return error;
  const seconds = Math.max(1, Math.ceil((until - now) / 1_000));
  return new TokenError(error.message, error.isMisconfigured, seconds);
}
