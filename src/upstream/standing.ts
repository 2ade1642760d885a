/** How one endpoint of a service has behaved so far, and what it would cost to choose it. */
import type { Clock } from '../clock.ts';
import type { EjectionConfig } from '../dsl/policies.ts';
import type { Endpoint } from './endpoint.ts';
import type { Verdict } from './failure.ts';

export interface Standing {
  readonly endpoint: Endpoint;
  readonly inFlight: number;
  /** Left alone after too many failures in a row. */
  readonly isEjected: boolean;
  /** What active checks say; true where there are none. */
  readonly isWell: boolean;
  setWell(well: boolean): void;
  /** Its latency, the recent peaks of it above all, times the calls it would then have. */
  cost(): number;
  begin(): void;
  end(how: Ending): void;
  /** Leaves it alone for a while, longer with every time. */
  eject(): void;
  readonly mustBeEjected: boolean;
}

/** How an attempt ended. */
export interface Ending {
  readonly verdict: Verdict;
  readonly tookMs: number;
  /** A failure counts as slow, twice as slow with every one in a row: failing quickly would attract all calls. */
  readonly countsAsSlow: boolean;
  /** As slow as this at most. */
  readonly timeoutMs: number;
}

/** How fast what was seen is forgotten: after this long a third of it is left. */
const decayMs = 10_000;

/** What a latency is at least, so that calls in flight count at an endpoint nobody has seen yet. */
const leastMs = 1;

/** The smallest part of its share that one which returns is given. */
const leastShare = 0.1;

export function createStanding(
  endpoint: Endpoint,
  { failures: most, ejectMs, maxEjectMs, slowStartMs }: Required<EjectionConfig>,
  { now }: Pick<Clock, 'now'>,
): Standing {
  let inFlight = 0;
  let latencyMs = 0;
  let seenAt = now();
  let failures = 0;
  let ejections = 0;
  let ejectedUntil = -Infinity;
  let returnedAt = -Infinity;
  let isWell = true;

  const remaining = (): number => Math.exp((seenAt - now()) / decayMs);

  /** One that has just returned is not taken to be quicker than it was before anybody has seen it again. */
  function expectedMs(): number {
    const isUnseen = shareSinceReturn() < 1 && seenAt < Math.max(ejectedUntil, returnedAt);
    return Math.max(leastMs, isUnseen ? latencyMs : latencyMs * remaining());
  }

  /** Peaks count at once, and what is better only with time (Finagle's peak EWMA). */
  function observe(sampleMs: number): void {
    const weight = remaining();
    latencyMs = Math.max(sampleMs, latencyMs * weight + sampleMs * (1 - weight));
    seenAt = now();
  }

  function shareSinceReturn(): number {
    const sinceMs = now() - Math.max(ejectedUntil, returnedAt);
    return sinceMs >= slowStartMs ? 1 : Math.max(leastShare, sinceMs / slowStartMs);
  }

  return {
    endpoint,
    get inFlight() {
      return inFlight;
    },
    get isEjected() {
      return ejectedUntil > now();
    },
    get isWell() {
      return isWell;
    },
    setWell(well) {
      if (well && !isWell) returnedAt = now();
      isWell = well;
    },
    get mustBeEjected() {
      return failures >= most;
    },
    cost() {
      return (expectedMs() * (inFlight + 1)) / shareSinceReturn();
    },
    begin() {
      inFlight += 1;
    },
    end({ verdict, tookMs, countsAsSlow, timeoutMs }) {
      inFlight -= 1;
      if (verdict === 'ok') failures = 0;
      // What was under way when it was ejected fails for the same reason.
      if (verdict === 'failed' && ejectedUntil <= now()) failures += 1;
      const timesSlower = countsAsSlow ? 2 ** Math.max(1, failures) : 0;
      observe(Math.max(tookMs, Math.min(timeoutMs, expectedMs() * timesSlower)));
    },
    eject() {
      // For every period that went well one is forgiven.
      const forgiven = Math.floor(Math.max(0, now() - ejectedUntil) / ejectMs);
      ejections = Math.max(0, ejections - forgiven) + 1;
      ejectedUntil = now() + Math.min(ejectMs * ejections, maxEjectMs);
      failures = 0;
    },
  };
}
