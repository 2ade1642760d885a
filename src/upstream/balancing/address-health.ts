/** The health of one address of a service, and the cost of choosing it. */
import type { Clock } from '../../clock.ts';
import type { EjectionConfig } from '../../dsl/service-policies.ts';
import type { Address } from '../exchange/address.ts';
import type { Verdict } from '../resilience/failure.ts';

export interface AddressHealth {
  readonly address: Address;
  readonly inFlight: number;
  /** Whether it is not used for a while, after too many consecutive failures. */
  readonly isEjected: boolean;
  /** The result of active health checks; true without any. */
  readonly isWell: boolean;
  /** When it became used, ejected or unwell, whichever it is, in milliseconds since 1970. */
  readonly since: number;
  setWell(well: boolean): void;
  /** Its peak latency times the number of calls that it would have in flight. */
  cost(): number;
  /** Counts an attempt; the returned function must be called when that ends. */
  begin(): (ending: AddressEnding) => void;
  /** Stops using it for a while, which is longer each time. */
  eject(): void;
  readonly mustBeEjected: boolean;
}

/** How an attempt at an address ended. */
export interface AddressEnding {
  readonly verdict: Verdict;
  readonly tookMs: number;
  /**
   * Whether it counts as slow, and twice as slow after each further failure: an address that fails
   * fast would otherwise attract all calls.
   */
  readonly countsAsSlow: boolean;
  /** The most that counting as slow makes of it. */
  readonly timeoutMs: number;
}

/** After this time, a third of a latency is left. */
const decayMs = 10_000;

/** The lowest latency: at zero, calls in flight would not add to the cost of an idle address. */
const leastMs = 1;

/** The cost of an address without an answer yet: it gets one call at a time. */
const unknownCost = 1e9;

/** The share of its calls with which an address starts when it returns (slow start). */
const leastShare = 0.1;

export function createAddressHealth(
  address: Address,
  { failures: most, ejectMs, maxEjectMs, slowStartMs }: Required<EjectionConfig>,
  { now, epoch }: Pick<Clock, 'now' | 'epoch'>,
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
  /** When it was opened, or has changed, in milliseconds since 1970. */
  const changed = { ejectedAt: -Infinity, returnedAt: epoch(), checkedAt: epoch() };

  const remaining = (): number => Math.exp((seenAt - now()) / decayMs);

  /**
   * The latency to expect. It does not decay for an address that has returned until that has
   * answered, and is at least the age of the oldest attempt, in case the address hangs.
   */
  function expectedMs(): number {
    const isUnseen = shareSinceReturn() < 1 && seenAt < Math.max(ejectedUntil, returnedAt);
    const [oldest] = begun;
    const waitedMs = oldest === undefined ? 0 : now() - oldest.at;
    return Math.max(leastMs, waitedMs, isUnseen ? latencyMs : latencyMs * remaining());
  }

  /** Peak EWMA (as in Finagle): a higher latency counts at once, a lower one only over time. */
  function observe(sampleMs: number): void {
    const weight = remaining();
    latencyMs = Math.max(sampleMs, latencyMs * weight + sampleMs * (1 - weight));
    seenAt = now();
    isKnown = true;
  }

  function settle({ verdict, tookMs, countsAsSlow, timeoutMs }: AddressEnding): void {
    if (verdict === 'ok') failures = 0;
    // Attempts that were under way when it was ejected fail for the same reason.
    if (verdict === 'failed' && ejectedUntil <= now()) failures += 1;
    const knownMs = Math.max(leastMs, latencyMs * remaining());
    // An attempt that was cancelled does not show how long an answer takes, but how long at least.
    if (verdict === 'unknown' && tookMs < knownMs) return;
    if (verdict === 'unknown' && !isKnown) {
      latencyMs = tookMs;
      seenAt = now();
      return;
    }
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
      if (well !== isWell) changed.checkedAt = epoch();
      if (well && !isWell) returnedAt = now();
      isWell = well;
    },
    get since() {
      if (!isWell) return changed.checkedAt;
      if (ejectedUntil > now()) return changed.ejectedAt;
      return Math.max(changed.checkedAt, changed.returnedAt);
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
      return (ending) => {
        begun.delete(attempt);
        settle(ending);
      };
    },
    eject() {
      // Every `ejectMs` without an ejection cancels out one earlier ejection.
      const forgiven = Math.floor(Math.max(0, now() - ejectedUntil) / ejectMs);
      ejections = Math.max(0, ejections - forgiven) + 1;
      const periodMs = Math.min(ejectMs * ejections, maxEjectMs);
      ejectedUntil = now() + periodMs;
      changed.ejectedAt = epoch();
      changed.returnedAt = changed.ejectedAt + periodMs;
      failures = 0;
    },
  };
}
