/** `defineService`: an upstream, its addresses and what it may be sent. */
import { CompositionError } from '../errors.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';

/** The name of an environment variable that holds the address. */
export interface FromEnvironment {
  readonly env: string;
}

/** Knobs of the way to a service. Times in milliseconds, sizes in bytes; unset ones have the defaults. */
export interface Policies {
  /** The time one attempt may take. Default 3,000. */
  readonly timeoutMs?: number;
  /** The largest response body accepted, as sent. Default 5 MiB. */
  readonly maxBodyBytes?: number;
}

export interface BulkheadConfig {
  /** Calls in flight at once. Default 128. */
  readonly concurrency?: number;
  /** Calls that may wait for a place. Default 256. */
  readonly queue?: number;
  /** How long one may wait, in milliseconds. Default 100. */
  readonly waitMs?: number;
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
  readonly bulkhead?: BulkheadConfig;
}

/** An upstream, checked. */
export interface Service {
  readonly name: string;
  readonly url: string | FromEnvironment;
  readonly forward: readonly string[];
  readonly policies: Required<Policies>;
  readonly connectTimeoutMs: number;
  readonly bulkhead: Required<BulkheadConfig>;
}

/**
 * Declares an upstream service.
 *
 * @throws CompositionError when the name, a header name or a number cannot be used.
 * @example
 * const payments = defineService({ name: 'payments', url: { env: 'PAYMENTS_URL' }, timeoutMs: 800 });
 */
export function defineService(config: ServiceConfig): Service {
  const { name, url, forward = [], connectTimeoutMs = 1_000, bulkhead = {} } = config;
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new CompositionError(
      'defineService',
      `name ${JSON.stringify(name)} cannot be used. Use lower-case letters, digits and dashes, as in "payments".`,
    );
  }
  const place = `service "${name}"`;
  refuseUnknownKnobs(config, knobs, place);
  refuseUnknownKnobs(bulkhead, ['concurrency', 'queue', 'waitMs'], `${place}: bulkhead`);
  checkUrl(url, place);
  const { timeoutMs, maxBodyBytes } = checkedPolicies(config, place);
  return Object.freeze({
    name,
    url,
    forward: checkedHeaders(forward, place),
    policies: { timeoutMs: timeoutMs ?? 3_000, maxBodyBytes: maxBodyBytes ?? 5 * 1024 * 1024 },
    connectTimeoutMs: positive(connectTimeoutMs, 'connectTimeoutMs', place),
    bulkhead: {
      concurrency: positive(bulkhead.concurrency ?? 128, 'bulkhead.concurrency', place),
      queue: positive(bulkhead.queue ?? 256, 'bulkhead.queue', place, 0),
      waitMs: positive(bulkhead.waitMs ?? 100, 'bulkhead.waitMs', place),
    },
  });
}

function checkUrl(url: string | FromEnvironment, place: string): void {
  if (typeof url !== 'string') return refuseUnknownKnobs(url, ['env'], `${place}: url`);
  const addresses = url.split(',').map((address) => URL.parse(address.trim()));
  if (addresses.every((address) => address !== null && /^https?:$/.test(address.protocol))) return;
  // What is written there is not repeated: it may hold a password.
  throw new CompositionError(
    place,
    'url is not an http or https address. Write one as in "http://127.0.0.1:4001", or { env: "ORDERS_URL" }.',
  );
}

/** The policies of `config` that are set, checked. */
export function checkedPolicies(config: Policies, place: string): Policies {
  const { timeoutMs, maxBodyBytes } = config;
  return {
    ...(timeoutMs !== undefined && { timeoutMs: positive(timeoutMs, 'timeoutMs', place) }),
    ...(maxBodyBytes !== undefined && {
      maxBodyBytes: positive(maxBodyBytes, 'maxBodyBytes', place),
    }),
  };
}

/** Header names in lower case. Hop-by-hop headers (RFC 9110, 7.6.1) and ours are refused. */
export function checkedHeaders(names: readonly string[], place: string): readonly string[] {
  const lowered = names.map((name) => name.toLowerCase());
  for (const name of lowered) {
    if (/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !unforwardable.has(name)) continue;
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
  'connectTimeoutMs',
  'bulkhead',
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
  'x-request-timeout-ms',
]);
