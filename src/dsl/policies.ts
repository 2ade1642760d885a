/** The knobs of the way to a service: what each means, its default, and what it may be set to. */
import { CompositionError } from '../errors.ts';
import { defaultsOf, numbers, positive, refuseUnknownKnobs, share } from './knobs.ts';
import type { NumberKnobs } from './knobs.ts';

/** What an operation may set for itself; what it does not set is the service's. */
export interface Policies {
  /** The time one attempt may take, in milliseconds. Default 3,000. */
  readonly timeoutMs?: number;
  /** The largest response body accepted, as sent, in bytes. Default 5 MiB. */
  readonly maxBodyBytes?: number;
  /** Asks once more what may be asked twice, after a failure that may pass. `false`: never. */
  readonly retry?: RetryConfig | false;
  /** Asks a second time while the first answer is late; only calls that read. Default `false`. */
  readonly hedge?: HedgeConfig | false;
}

export interface RetryConfig {
  /** How often at most. Default 1. */
  readonly times?: number;
  /** The shortest and the longest pause, in milliseconds; its length is left to chance. Default 25. */
  readonly minDelayMs?: number;
  /** Default 250. */
  readonly maxDelayMs?: number;
}

/** How many further attempts a service is sent, however many calls fail. */
export interface RetryBudgetConfig {
  /** Of the calls of the last 10 s. Default 20. */
  readonly percent?: number;
  /** As many are allowed in any case. Default 3. */
  readonly floor?: number;
}

export interface HedgeConfig {
  /** The share of answers that are quicker than the wait for the first one. Default 0.95. */
  readonly afterP?: number;
  /** The share of calls that may cost a second request. Default 0.05. */
  readonly maxExtra?: number;
}

/** When a service is left alone. Counts attempts of all operations in a rolling window. */
export interface BreakerConfig {
  /** Default 10,000. */
  readonly windowMs?: number;
  /** With fewer attempts in the window it stays closed. Default 20. */
  readonly volume?: number;
  /** Opens when as many failed. Default 50. */
  readonly failedPercent?: number;
  /** Opens when as many were slow. Default 80. */
  readonly slowPercent?: number;
  /** From when on an answer is slow. Default: 80 % of the operation's `timeoutMs`. */
  readonly slowMs?: number;
  /** How long it stays open at first; doubles with every probe that fails. Default 5,000. */
  readonly openMs?: number;
  /** Default 60,000. */
  readonly maxOpenMs?: number;
  /** How many attempts have to succeed before it closes. Default 3. */
  readonly probes?: number;
}

export interface BulkheadConfig {
  /** Calls in flight at once. Default 128. */
  readonly concurrency?: number;
  /** Calls that may wait for a place. Default 256. */
  readonly queue?: number;
  /** How long one may wait, in milliseconds. Default 100. */
  readonly waitMs?: number;
}

/** When one of several addresses is left alone. At most half of them are. */
export interface EjectionConfig {
  /** Failures in a row. Default 5. */
  readonly failures?: number;
  /** For how long; the second time twice as long, and so on. Default 30,000. */
  readonly ejectMs?: number;
  /** Default 300,000. */
  readonly maxEjectMs?: number;
  /** How long one that returns is given less than its share. Default 10,000. */
  readonly slowStartMs?: number;
}

/** Asks every address by itself whether it is well: any 2xx. Two answers in a row decide. */
export interface HealthCheckConfig {
  /** As in `/livez`. */
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

/** The policies of a service or an operation; what `config` does not set is as in `inherited`. */
export function checkedPolicies(
  config: Policies,
  place: string,
  inherited: EffectivePolicies = defaults,
): EffectivePolicies {
  const { timeoutMs = inherited.timeoutMs, maxBodyBytes = inherited.maxBodyBytes } = config;
  const { retry = inherited.retry, hedge = inherited.hedge } = config;
  return {
    timeoutMs: positive(timeoutMs, 'timeoutMs', place),
    maxBodyBytes: positive(maxBodyBytes, 'maxBodyBytes', place),
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
  refuseUnknownKnobs(config, ['afterP', 'maxExtra'], `${place}: hedge`);
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

/** `slowMs` stays open where it is not set: it depends on the operation. */
export type EffectiveBreaker = Required<Omit<BreakerConfig, 'slowMs'>> & {
  readonly slowMs: number | undefined;
};

/** The share of an attempt's time after which its answer is slow, unless the service says otherwise. */
const slowShare = 0.8;

/** From when on an answer of an operation with these policies is slow. */
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
  refuseUnknownKnobs(config, ['path', 'intervalMs'], `${place}: health`);
  const { path, intervalMs = 5_000 } = config;
  const isPath = typeof path === 'string' && /^\/(?:[\w~.-]+\/)*[\w~.-]*$/.test(path);
  if (!isPath || (path.length > 1 && path.endsWith('/')) || /\/\.\.?(?:\/|$)/.test(path)) {
    throw new CompositionError(
      place,
      `health.path is ${JSON.stringify(path)}. Use a path of plain segments, without a query or a trailing slash, as in "/livez".`,
    );
  }
  return { path, intervalMs: positive(intervalMs, 'health.intervalMs', place, { least: 100 }) };
}

/** Of two knobs the first cannot be more than the second. */
function refuseReversed(place: string, knobs: Readonly<Record<string, number>>): void {
  const [[name, least] = ['', 0], [otherName, most] = ['', 0]] = Object.entries(knobs);
  if (least <= most) return;
  throw new CompositionError(
    place,
    `${name} is ${least}, more than ${otherName}, which is ${most}. Set both.`,
  );
}
