/** `defineService`: an upstream, its addresses and what it may be sent. */
import { CompositionError } from '../errors.ts';
import { isHeaderName, requestTimeoutHeader } from '../headers.ts';
import { parseBaseUrl, splitAddresses } from '../url.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import {
  checkedBreaker,
  checkedBudget,
  checkedBulkhead,
  checkedEjection,
  checkedHealth,
  checkedPolicies,
} from './policies.ts';
import type {
  BreakerConfig,
  BulkheadConfig,
  EffectiveBreaker,
  EffectivePolicies,
  EjectionConfig,
  HealthCheckConfig,
  Policies,
  RetryBudgetConfig,
} from './policies.ts';

/** The name of an environment variable that holds the address. */
export interface FromEnvironment {
  readonly env: string;
}

export interface ServiceConfig extends Policies {
  /** Lower case, as it appears in traces and problems: `payments`. */
  readonly name: string;
  /** The base URL, or several separated by commas, or the environment variable that holds them. */
  readonly url: string | FromEnvironment;
  /** Request headers of the client that this service may be sent. None by default. */
  readonly forward?: readonly string[];
  /** The time to establish a connection, in milliseconds. Default 1,000. */
  readonly connectTimeoutMs?: number;
  readonly retryBudget?: RetryBudgetConfig;
  /** Leaves the service alone while most attempts fail. `false`: never. */
  readonly breaker?: BreakerConfig | false;
  readonly bulkhead?: BulkheadConfig;
  readonly ejection?: EjectionConfig;
  /** Asks its addresses by itself how they are. Default: it does not. */
  readonly health?: HealthCheckConfig;
}

/** An upstream, checked. */
export interface Service {
  readonly name: string;
  readonly url: string | FromEnvironment;
  readonly forward: readonly string[];
  readonly policies: EffectivePolicies;
  readonly connectTimeoutMs: number;
  readonly retryBudget: Required<RetryBudgetConfig>;
  readonly breaker: EffectiveBreaker | false;
  readonly bulkhead: Required<BulkheadConfig>;
  readonly ejection: Required<EjectionConfig>;
  readonly health: Required<HealthCheckConfig> | undefined;
}

/**
 * Declares an upstream service.
 *
 * @throws CompositionError when the name, a header name or a number cannot be used.
 * @example
 * const payments = defineService({ name: 'payments', url: { env: 'PAYMENTS_URL' }, timeoutMs: 800 });
 */
export function defineService(config: ServiceConfig): Service {
  const { name, url, forward = [], connectTimeoutMs = 1_000 } = config;
  const { breaker = {}, retryBudget = {}, bulkhead = {}, ejection = {}, health } = config;
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new CompositionError(
      'defineService',
      `name ${JSON.stringify(name)} cannot be used. Use lower-case letters, digits and dashes, as in "payments".`,
    );
  }
  const place = `service "${name}"`;
  refuseUnknownKnobs(config, knobs, place);
  checkUrl(url, place);
  return Object.freeze({
    name,
    url,
    forward: checkedHeaders(forward, place),
    policies: checkedPolicies(config, place),
    connectTimeoutMs: positive(connectTimeoutMs, 'connectTimeoutMs', place),
    retryBudget: checkedBudget(retryBudget, place),
    breaker: breaker === false ? false : checkedBreaker(breaker, place),
    bulkhead: checkedBulkhead(bulkhead, place),
    ejection: checkedEjection(ejection, place),
    health: health === undefined ? undefined : checkedHealth(health, place),
  });
}

function checkUrl(url: string | FromEnvironment, place: string): void {
  if (typeof url !== 'string') return refuseUnknownKnobs(url, ['env'], `${place}: url`);
  if (splitAddresses(url).every((address) => parseBaseUrl(address) !== undefined)) return;
  // What is written there is not repeated: it may hold a password.
  throw new CompositionError(
    place,
    'url is not an http or https URL without credentials, query or fragment. Write one as in "http://127.0.0.1:4001", or { env: "ORDERS_URL" }.',
  );
}

/** Header names in lower case. Hop-by-hop headers (RFC 9110, 7.6.1) and ours are refused. */
export function checkedHeaders(names: readonly string[], place: string): readonly string[] {
  const lowered = names.map((name) => name.toLowerCase());
  for (const name of lowered) {
    if (isHeaderName(name) && !unforwardable.has(name)) continue;
    throw new CompositionError(
      place,
      `header "${name}" cannot be forwarded. Name an end-to-end request header, as in "authorization".`,
    );
  }
  return [...new Set(lowered)].toSorted();
}

const knobs = [
  'name',
  'url',
  'forward',
  'timeoutMs',
  'maxBodyBytes',
  'retry',
  'hedge',
  'connectTimeoutMs',
  'retryBudget',
  'breaker',
  'bulkhead',
  'ejection',
  'health',
] satisfies (keyof ServiceConfig)[];

const unforwardable = new Set([
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'traceparent',
  'tracestate',
  requestTimeoutHeader,
]);
