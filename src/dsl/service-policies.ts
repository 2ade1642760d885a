/** Policies that only a service has, for all its operations: meaning, default and range of each. */
import { CompositionError } from '../errors.ts';
import { shownValue } from '../shown-value.ts';
import { numbers, positive, refuseReversed, refuseUnknownKnobs } from './knobs.ts';
import type { NumberKnobs } from './knobs.ts';
import type { EffectivePolicies } from './policies.ts';

/** Limits the retries and hedges of a service, so that they do not multiply an outage's load. */
export interface RetryBudgetConfig {
  /** The share of the calls of the last 10 s that may be retried. Default 20. */
  readonly percent?: number;
  /** Retries that are allowed within 10 s in any case. Default 3. */
  readonly floor?: number;
}

/** The circuit breaker of a service: counts attempts of all its operations in a rolling window. */
export interface BreakerConfig {
  /** Default 10,000. */
  readonly windowMs?: number;
  /** The least number of attempts in the window for it to open. Default 20. */
  readonly volume?: number;
  /** Opens at this percentage of failed attempts. Default 50. */
  readonly failedPercent?: number;
  /** Opens at this percentage of slow attempts. Default 80. */
  readonly slowPercent?: number;
  /**
   * The time from which an attempt counts as slow. Default: 80 % of the operation's `timeoutMs`.
   */
  readonly slowMs?: number;
  /** How long it stays open at first; doubles with every failed probe. Default 5,000. */
  readonly openMs?: number;
  /** Default 60,000. */
  readonly maxOpenMs?: number;
  /** The number of probes that have to succeed before it closes. Default 3. */
  readonly probes?: number;
}

export interface BulkheadConfig {
  /** Calls in flight at once. Default 128. */
  readonly concurrency?: number;
  /** Calls that may queue for a place. Default 256. */
  readonly queue?: number;
  /** The longest wait in the queue, in milliseconds. Default 100. */
  readonly waitMs?: number;
}

/** Outlier ejection: leaves a failing address alone. At most half of a service's addresses. */
export interface EjectionConfig {
  /** Consecutive failures after which an address is ejected. Default 5. */
  readonly failures?: number;
  /** How long it is ejected the first time; doubles every time. Default 30,000. */
  readonly ejectMs?: number;
  /** Default 300,000. */
  readonly maxEjectMs?: number;
  /** How long a returning address gets less than its share of calls. Default 10,000. */
  readonly slowStartMs?: number;
}

/** Active health checks of every address: any 2xx is healthy, and two results in a row decide. */
export interface HealthCheckConfig {
  /** The path that is requested, as in `/livez`. */
  readonly path: string;
  /** Default 5,000. */
  readonly intervalMs?: number;
}

const budgetKnobs = {
  percent: { default: 20, least: 0, most: 100 },
  floor: { default: 3, least: 0 },
} satisfies NumberKnobs<RetryBudgetConfig>;

const breakerKnobs = {
  windowMs: { default: 10_000, least: 10 },
  volume: { default: 20 },
  failedPercent: { default: 50, most: 100 },
  slowPercent: { default: 80, most: 100 },
  slowMs: { default: undefined },
  openMs: { default: 5_000 },
  maxOpenMs: { default: 60_000 },
  probes: { default: 3 },
} satisfies NumberKnobs<BreakerConfig>;

const bulkheadKnobs = {
  concurrency: { default: 128 },
  queue: { default: 256, least: 0 },
  waitMs: { default: 100 },
} satisfies NumberKnobs<BulkheadConfig>;

const ejectionKnobs = {
  failures: { default: 5 },
  ejectMs: { default: 30_000 },
  maxEjectMs: { default: 300_000 },
  slowStartMs: { default: 10_000, least: 0 },
} satisfies NumberKnobs<EjectionConfig>;

export function checkedBudget(config: RetryBudgetConfig, place: string) {
  return numbers(config, budgetKnobs, { knob: 'retryBudget', place });
}

/** The breaker's options in effect, but for `slowMs`: its default depends on the operation. */
export type EffectiveBreaker = Required<Omit<BreakerConfig, 'slowMs'>> & {
  readonly slowMs: number | undefined;
};

/** The share of `timeoutMs` after which an attempt is slow, unless the service says otherwise. */
const slowShare = 0.8;

/** The time from which an attempt of an operation with these policies counts as slow. */
export function slowMsOf({ slowMs }: EffectiveBreaker, { timeoutMs }: EffectivePolicies): number {
  return slowMs ?? Math.round(timeoutMs * slowShare);
}

export function checkedBreaker(config: BreakerConfig, place: string): EffectiveBreaker {
  const breaker = numbers(config, breakerKnobs, { knob: 'breaker', place });
  refuseReversed(place, {
    'breaker.openMs': breaker.openMs,
    'breaker.maxOpenMs': breaker.maxOpenMs,
  });
  return breaker;
}

export function checkedBulkhead(config: BulkheadConfig, place: string) {
  return numbers(config, bulkheadKnobs, { knob: 'bulkhead', place });
}

export function checkedEjection(config: EjectionConfig, place: string) {
  const ejection = numbers(config, ejectionKnobs, { knob: 'ejection', place });
  refuseReversed(place, {
    'ejection.ejectMs': ejection.ejectMs,
    'ejection.maxEjectMs': ejection.maxEjectMs,
  });
  return ejection;
}

export function checkedHealth(
  config: HealthCheckConfig,
  place: string,
): Required<HealthCheckConfig> {
  refuseUnknownKnobs(config, ['path', 'intervalMs'], place, 'health');
  const { path, intervalMs = 5_000 } = config;
  const isPath = typeof path === 'string' && /^\/(?:[\w~.-]+\/)*[\w~.-]*$/.test(path);
  if (!isPath || (path.length > 1 && path.endsWith('/')) || /\/\.\.?(?:\/|$)/.test(path)) {
    throw new CompositionError(
      place,
      `health.path is ${shownValue(path)}. Use a path of plain segments, without a query or ` +
        'a trailing slash, as in "/livez".',
    );
  }
  return { path, intervalMs: positive(intervalMs, 'health.intervalMs', place, { least: 100 }) };
}
