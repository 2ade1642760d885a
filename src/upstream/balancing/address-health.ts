/** How one address of a service has behaved so far, and the cost of choosing it. */
import type { Clock } from '../../clock.ts';
import type { EjectionConfig } from '../../dsl/policies.ts';
import type { Address } from '../exchange/address.ts';
import type { Verdict } from '../resilience/failure.ts';

export interface AddressHealth {
  readonly address: Address;
  readonly inFlight: number;
  /** Left alone after too many failures in a row. */
  readonly isEjected: boolean;
  /** What active checks say; true where there are none. */
  readonly isWell: boolean;
  setWell(well: boolean): void;
  /** Its latency, the recent peaks of it above all, times the calls it would then have. */
  cost(): number;
  /** An attempt begins; to be told how it ended. */
  begin(): (how: AddressEnding) => void;
  /** Leaves it alone for a while, longer with every time. */
  eject(): void;
  readonly mustBeEjected: boolean;
}

/** How an attempt ended. */
export interface AddressEnding {
  readonly verdict: Verdict;
  readonly tookMs: number;
  /** A failure counts as slow, twice as slow with every one in a row: failing quickly would attract all calls. */
  readonly countsAsSlow: boolean;
  /** As slow as this at most. */
  readonly timeoutMs: number;
}

/** How fast a latency is forgotten: after this long a third of it is left. */
const decayMs = 10_000;

/** The least a latency is: calls in flight count at an address that was not used for long, too. */
const leastMs = 1;

/** Cost of an address that has never answered: one call at a time until it has. */
const unknownCost = 1e9;

/** The smallest part of its share that an address is given when it returns. */
const leastShare = 0.1;

export function createAddressHealth(
  address: Address,
  { failures: most, ejectMs, maxEjectMs, slowStartMs }: Required<EjectionConfig>,
  { now }: Pick<Clock, 'now'>,
): AddressHealth {
  /** When the attempts in flight began, the oldest first. */
  const begun = new Set<{ readonly at: number }>();
  let isKnown = false;
  let latencyMs = 0;
  let seenAt = now();
  let failures = 0;
  let ejections = 0;
  let ejectedUntil = -Infinity;
  let returnedAt = -Infinity;
  let isWell = true;

  const remaining = (): number => Math.exp((seenAt - now()) / decayMs);

  /**
   * An address that has just returned counts as no quicker than it was until it has answered again;
   * one that has stopped answering is as slow as its oldest attempt is old.
   */
  function expectedMs(): number {
    const isUnseen = shareSinceReturn() < 1 && seenAt < Math.max(ejectedUntil, returnedAt);
    const [oldest] = begun;
    const waitedMs = oldest === undefined ? 0 : now() - oldest.at;
    return Math.max(leastMs, waitedMs, isUnseen ? latencyMs : latencyMs * remaining());
  }

  /** Peaks count at once, improvement only with time (Finagle's peak EWMA). */
  function observe(sampleMs: number): void {
    const weight = remaining();
    latencyMs = Math.max(sampleMs, latencyMs * weight + sampleMs * (1 - weight));
    seenAt = now();
    isKnown = true;
  }

  function settle({ verdict, tookMs, countsAsSlow, timeoutMs }: AddressEnding): void {
    if (verdict === 'ok') failures = 0;
    // What was under way when it was ejected fails for the same reason.
    if (verdict === 'failed' && ejectedUntil <= now()) failures += 1;
    const knownMs = Math.max(leastMs, latencyMs * remaining());
    // Called off early it says nothing of how long an answer takes.
    if (verdict === 'unknown' && (!isKnown || tookMs < knownMs)) return;
    const timesSlower = countsAsSlow ? 2 ** Math.max(1, failures) : 0;
    observe(Math.max(tookMs, Math.min(timeoutMs, knownMs * timesSlower)));
  }

  function shareSinceReturn(): number {
    const sinceMs = now() - Math.max(ejectedUntil, returnedAt);
    return sinceMs >= slowStartMs ? 1 : Math.max(leastShare, sinceMs / slowStartMs);
  }

  return {
    address,
    get inFlight() {
      return begun.size;
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
      if (!isKnown && begun.size > 0) return unknownCost * begun.size;
      return (expectedMs() * (begun.size + 1)) / shareSinceReturn();
    },
    begin() {
      const attempt = { at: now() };
      begun.add(attempt);
      return (how) => {
        begun.delete(attempt);
        settle(how);
      };
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
