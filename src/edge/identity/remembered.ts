/** Tokens that were verified, by their hash, so that the same one is not verified each time. */
import type { Clock } from '../../clock.ts';
import type { Verified } from './verified.ts';

export interface Remembered {
  /** `version`: that of the keys, which may have changed since. */
  get(name: string, version: number): Verified | undefined;
  /** `expiresAt`: in milliseconds since 1970. */
  set(name: string, verified: Verified, facts: { version: number; expiresAt: number }): void;
}

/** How long a token may stay valid here that its issuer has called back by other keys. */
const longestMs = 60_000;
const most = 10_000;

export function rememberVerified(clock: Clock): Remembered {
  const known = new Map<string, { verified: Verified; version: number; until: number }>();
  return {
    get(name, version) {
      const found = known.get(name);
      if (found === undefined) return undefined;
      if (found.version === version && clock.epoch() < found.until) return found.verified;
      known.delete(name);
      return undefined;
    },
    set(name, verified, { version, expiresAt }) {
      // A map lists its oldest entry first.
      const [oldest] = known.keys();
      if (known.size >= most && oldest !== undefined) known.delete(oldest);
      const until = Math.min(expiresAt, clock.epoch() + longestMs);
      known.set(name, { verified, version, until });
    },
  };
}
