/** Policies that an operation may set for itself: meaning, default and range of each option. */
import {
  defaultsOf,
  numbers,
  positive,
  refuseReversed,
  refuseUnknownKnobs,
  share,
} from './knobs.ts';
import type { NumberKnobs } from './knobs.ts';

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

export interface HedgeConfig {
  /** The latency percentile after which the second request is sent. Default 0.95. */
  readonly afterP?: number;
  /** The greatest share of calls that are hedged. Default 0.05. */
  readonly maxExtra?: number;
}

const retryKnobs = {
  times: { default: 1, least: 0, most: 10 },
  minDelayMs: { default: 25, least: 0 },
  maxDelayMs: { default: 250, least: 0 },
} satisfies NumberKnobs<RetryConfig>;

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
