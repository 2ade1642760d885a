/** `defineService`: declares an upstream service, its addresses and the headers forwarded to it. */
import { noteDefinition } from '../defined-at.ts';
import { CompositionError } from '../errors.ts';
import { baseUrlRule, parseBaseUrl, shown, splitList } from '../url.ts';
import { checkedAuth } from './credentials.ts';
import type { Auth } from './credentials.ts';
import { checkedForward } from './forward.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import {
  checkedHeaders,
  checkedRequestId,
  defaultRequestId,
  refuseHeaderTwice,
} from './own-headers.ts';
import type { OwnHeaders } from './own-headers.ts';
import { checkedPolicies, policyKnobs } from './policies.ts';
import {
  checkedBreaker,
  checkedBudget,
  checkedBulkhead,
  checkedEjection,
  checkedHealth,
} from './service-policies.ts';
import type { EffectivePolicies, Policies } from './policies.ts';
import type {
  BreakerConfig,
  BulkheadConfig,
  EffectiveBreaker,
  EjectionConfig,
  HealthCheckConfig,
  RetryBudgetConfig,
} from './service-policies.ts';
import { checkedQueryStyle } from './query-style.ts';
import type { QueryStyle } from './query-style.ts';
import { checkedRedirects } from './redirects.ts';
import type { Redirects } from './redirects.ts';
import { isVariableName } from './source.ts';
import type { FromEnvironment } from './source.ts';
import { checkedTls } from './tls.ts';
import type { TlsConfig } from './tls.ts';
import { shownValue } from '../shown-value.ts';

export interface ServiceConfig extends Policies {
  /** Lower case, as it appears in traces and problems: `payments`. */
  readonly name: string;
  /** The base URL, or several separated by commas, or the environment variable that holds them. */
  readonly url: string | FromEnvironment;
  /** Client headers that are forwarded to this service. Default: none. */
  readonly forward?: readonly string[];
  /** The time limit for establishing a connection, in milliseconds. Default 1,000. */
  readonly connectTimeoutMs?: number;
  readonly retryBudget?: RetryBudgetConfig;
  /** The circuit breaker. `false`: none. */
  readonly breaker?: BreakerConfig | false;
  readonly bulkhead?: BulkheadConfig;
  readonly ejection?: EjectionConfig;
  /** Active health checks of its addresses. Default: none. */
  readonly health?: HealthCheckConfig;
  /** Headers that go with every request, from source code, the environment or files. */
  readonly headers?: OwnHeaders;
  /** The credentials of the gateway's own: `bearer()`, `basic()` or `apiKey()`. Default: none. */
  readonly auth?: Auth;
  /**
   * The header that carries the id of the client's request, which is in problems and logs; `false`:
   * it is not sent. Default `'x-request-id'`.
   */
  readonly requestId?: string | false;
  /** Certificates for its https addresses. Default: the public authorities, and none of our own. */
  readonly tls?: TlsConfig;
  /** Whether GET and HEAD follow redirects at the same address. Default `'error'`: they fail. */
  readonly redirects?: Redirects;
  /** How queries are written. Default: lists repeat their name, a space is `+`, no objects. */
  readonly queryStyle?: QueryStyle;
}

/** An upstream service with all options checked and filled in. */
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
  readonly headers: OwnHeaders;
  readonly auth: Auth | undefined;
  /** The header that carries the request id; `undefined`: none does. */
  readonly requestId: string | undefined;
  readonly tls: TlsConfig | undefined;
  readonly redirects: Redirects;
  readonly queryStyle: QueryStyle;
}

/**
 * Declares an upstream service.
 *
 * @throws CompositionError when the name, a header name or a number cannot be used.
 * @example
 * const payments = defineService({ name: 'payments', url: { env: 'PAYMENTS_URL' } });
 */
export function defineService(config: ServiceConfig): Service {
  const { name, url, forward = [], connectTimeoutMs = 1_000 } = config;
  const { breaker = {}, retryBudget = {}, bulkhead = {}, ejection = {}, health } = config;
  const {
    headers: givenHeaders = {},
    auth: givenAuth,
    redirects = 'error',
    queryStyle = {},
  } = config;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new CompositionError(
      'defineService',
      `name ${shownValue(name)} cannot be used. Use lower-case letters, digits and dashes, ` +
        'as in "payments".',
    );
  }
  const place = `service "${name}"`;
  refuseUnknownKnobs(config, knobs, place);
  checkUrl(url, place);
  const forwarded = checkedForward(forward, place, { isWrite: false });
  const headers = checkedHeaders(givenHeaders, place);
  const auth = checkedAuth(givenAuth, place);
  const requestId = checkedRequestId(config.requestId ?? defaultRequestId, place);
  refuseHeaderTwice({ headers, auth, forward: forwarded, requestId }, place);
  return noteDefinition(
    Object.freeze({
      name,
      url,
      forward: forwarded,
      policies: checkedPolicies(config, place),
      connectTimeoutMs: positive(connectTimeoutMs, 'connectTimeoutMs', place),
      retryBudget: checkedBudget(retryBudget, place),
      breaker: breaker === false ? false : checkedBreaker(breaker, place),
      bulkhead: checkedBulkhead(bulkhead, place),
      ejection: checkedEjection(ejection, place),
      health: health === undefined ? undefined : checkedHealth(health, place),
      headers,
      auth,
      requestId,
      tls: checkedTls(config.tls, place),
      redirects: checkedRedirects(redirects, place),
      queryStyle: checkedQueryStyle(queryStyle, place),
    }),
  );
}

function checkUrl(url: string | FromEnvironment, place: string): void {
  const example = 'as in "http://127.0.0.1:4001", or { env: "ORDERS_URL" }.';
  if (typeof url !== 'string') return checkVariable(url, `Write one ${example}`, place);
  const wrong = splitList(url).find((address) => parseBaseUrl(address) === undefined);
  if (wrong === undefined) return;
  throw new CompositionError(
    place,
    `url contains ${shown(wrong, url)}. Use ${baseUrlRule}, ${example}`,
  );
}

function checkVariable(url: FromEnvironment, example: string, place: string): void {
  refuseUnknownKnobs(url, ['env'], place, 'url');
  if (isVariableName(url.env)) return;
  const found = url.env === undefined ? 'missing' : shownValue(url.env);
  throw new CompositionError(
    place,
    `url.env is ${found}, which is not a name of a variable. ${example}`,
  );
}

const knobs = [
  'name',
  'url',
  'forward',
  ...policyKnobs,
  'connectTimeoutMs',
  'retryBudget',
  'breaker',
  'bulkhead',
  'ejection',
  'health',
  'headers',
  'auth',
  'requestId',
  'tls',
  'redirects',
  'queryStyle',
] satisfies (keyof ServiceConfig)[];
