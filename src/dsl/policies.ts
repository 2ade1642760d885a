/** Options of resilience and balancing: the meaning, default and range of each. */
import { CompositionError } from '../errors.ts';
import { defaultsOf, numbers, positive, refuseUnknownKnobs, share } from './knobs.ts';
import type { NumberKnobs } from './knobs.ts';
import { shownValue } from '../shown-value.ts';

/** Options that an operation may set for itself; the others it inherits from its service. */
export interface Policies {
  /** The time limit of one attempt, in milliseconds. Default 3,000. */
  readonly timeoutMs?: number;
  /** The largest response body accepted, in bytes as sent. Default 5 MiB. */
  readonly maxBodyBytes?: number;
  /** The deepest nesting of a JSON response that is accepted, in levels. Default 64. */
  readonly maxDepth?: number;
  /** Retries idempotent calls after transient failures. `false`: never. */
  readonly retry?: RetryConfig | false;
  /** Sends a second request while the first is slow; only for calls that read. Default `false`. */
  readonly hedge?: HedgeConfig | false;
}

export const policyKnobs = [
  'timeoutMs',
  'maxBodyBytes',
  'maxDepth',
  'retry',
  'hedge',
] satisfies (keyof Policies)[];

export interface RetryConfig {
  /** The most retries of one call. Default 1. */
  readonly times?: number;
  /**
   * The least delay before a retry, in milliseconds; a random one up to `maxDelayMs`. Default 25.
   */
  readonly minDelayMs?: number;
  /** Default 250. */
  readonly maxDelayMs?: number;
}

/** Limits the retries and hedges of a service, so that they do not multiply an outage's load. */
export interface RetryBudgetConfig {
  /** The share of the calls of the last 10 s that may be retried. Default 20. */
  readonly percent?: number;
  /** Retries that are allowed within 10 s in any case. Default 3. */
  readonly floor?: number;
}

export interface HedgeConfig {
  /** The latency percentile after which the second request is sent. Default 0.95. */
  readonly afterP?: number;
  /** The greatest share of calls that are hedged. Default 0.05. */
  readonly maxExtra?: number;
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

const retryKnobs = {
  times: { default: 1, least: 0, most: 10 },
  minDelayMs: { default: 25, least: 0 },
  maxDelayMs: { default: 250, least: 0 },
} satisfies NumberKnobs<RetryConfig>;

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

/** Checks the policies of a service or an operation; those not set are inherited. */
export function checkedPolicies(
  config: Policies,
  place: string,
  inherited: EffectivePolicies = defaults,
): EffectivePolicies {
  const { timeoutMs = inherited.timeoutMs, maxBodyBytes = inherited.maxBodyBytes } = config;
  const { maxDepth = inherited.maxDepth } = config;
  const { retry = inherited.retry, hedge = inherited.hedge } = config;
  return {
    timeoutMs: positive(timeoutMs, 'timeoutMs', place),
    maxBodyBytes: positive(maxBodyBytes, 'maxBodyBytes', place),
    maxDepth: positive(maxDepth, 'maxDepth', place, { most: 1_000 }),
    retry: retry === false ? false : checkedRetry(retry, place, inherited.retry),
    hedge: hedge === false ? false : checkedHedge(hedge, place, inherited.hedge),
  };
}

/** The policies in effect. */
export interface EffectivePolicies extends Required<Policies> {
  readonly retry: Required<RetryConfig> | false;
  readonly hedge: Required<HedgeConfig> | false;
}

const defaults: EffectivePolicies = {
  timeoutMs: 3_000,
  maxBodyBytes: 5 * 1024 * 1024,
  maxDepth: 64,
  retry: defaultsOf(retryKnobs),
  hedge: false,
};

function checkedRetry(
  config: RetryConfig,
  place: string,
  inherited: EffectivePolicies['retry'],
): Required<RetryConfig> {
  const own = numbers(config, retryKnobs, {
    knob: 'retry',
    place,
    inherited: inherited === false ? undefined : { ...inherited },
  });
  refuseReversed(place, {
    'retry.minDelayMs': own.minDelayMs,
    'retry.maxDelayMs': own.maxDelayMs,
  });
  return own;
}

function checkedHedge(
  config: HedgeConfig,
  place: string,
  inherited: EffectivePolicies['hedge'],
): Required<HedgeConfig> {
  refuseUnknownKnobs(config, ['afterP', 'maxExtra'], place, 'hedge');
  const unset = inherited === false ? { afterP: 0.95, maxExtra: 0.05 } : inherited;
  const { afterP = unset.afterP, maxExtra = unset.maxExtra } = config;
  return {
    afterP: share(afterP, 'hedge.afterP', place),
    maxExtra: share(maxExtra, 'hedge.maxExtra', place),
  };
}

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

/** Rejects a minimum that exceeds its maximum. */
function refuseReversed(place: string, knobs: Readonly<Record<string, number>>): void {
  const [[name, least] = ['', 0], [otherName, most] = ['', 0]] = Object.entries(knobs);
  if (least <= most) return;
  throw new CompositionError(
    place,
    `${name} is ${least}, more than ${otherName}, which is ${most}. Set both.`,
  );
}
