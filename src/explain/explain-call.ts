/** A call as data for people: what is batched and shared, which limits are in effect. */
import { shownKind } from '../dsl/body-kind.ts';
import type { BodyKind } from '../dsl/body-kind.ts';
import type { OperationCache } from '../dsl/cache.ts';
import type { Auth } from '../dsl/credentials.ts';
import { bytesKnob } from '../dsl/key-bytes.ts';
import type { MaxBytes } from '../dsl/key-bytes.ts';
import { shownErrors } from '../dsl/key-errors.ts';
import { shownBy } from '../dsl/lookup-by.ts';
import { keysExample } from '../dsl/lookup-keys.ts';
import { limitInQuery } from '../dsl/lookup-limit.ts';
import type { Lookup } from '../dsl/lookup.ts';
import { operationName } from '../dsl/operation.ts';
import type { Operation } from '../dsl/operation.ts';
import type { OwnHeaders } from '../dsl/own-headers.ts';
import type { NextRule } from '../dsl/pages-rule.ts';
import { slowMsOf } from '../dsl/service-policies.ts';
import type { HedgeConfig, RetryConfig } from '../dsl/policies.ts';
import type { EffectiveBreaker } from '../dsl/service-policies.ts';
import type { WrittenStyle } from '../dsl/query-style.ts';
import type { Service } from '../dsl/service.ts';
import { shownStatus } from '../dsl/status-rule.ts';
import type { TlsConfig } from '../dsl/tls.ts';
import type { CallStep } from '../plan/plan.ts';

export interface ExplainedCall {
  readonly operation: string;
  readonly route: string;
  /** The kinds of the bodies of request and answer; absent: JSON, or none. */
  readonly body?: string;
  readonly response?: string;
  /** Present where it is called for one page after the other: how the list goes on. */
  readonly pages?: { readonly next: NextRule['kind']; readonly max: number };
  /** Present on lookups: how keys are batched. */
  readonly batch?: ExplainedBatch;
  /** Present on lookups that ask for one key at a time. */
  readonly single?: ExplainedSingle;
  /** Single-flight: whether identical calls of several requests share one request. */
  readonly coalesce: boolean;
  /** How long responses are cached; absent: not at all. */
  readonly cache?: Required<OperationCache>;
  /** The client headers that are forwarded. */
  readonly forward: readonly string[];
  /** The headers that are arguments; absent: none. */
  readonly takes?: readonly string[];
  /** The headers that are the same in every request, or where they come from; absent: none. */
  readonly sends?: OwnHeaders;
  /** The headers and `status` that are parts of its value, besides the body; absent: none. */
  readonly gives?: readonly string[];
  /** `null`: a 404 or 410 is that; absent: it is a failure. */
  readonly missing?: 'null';
  /** The place of the status of failures inside a 2xx, or that status; absent: there are none. */
  readonly failure?: string;
  /** The place of the errors of single keys of a lookup; absent: there are none. */
  readonly errors?: string;
  /** How its query is written; absent: as forms are. */
  readonly queryStyle?: WrittenStyle;
  /** Absent: a redirect is an error. */
  readonly redirects?: 'follow';
  /** The place of the entries of a 400 or 422 that the client is told of; absent: of none. */
  readonly problem?: string;
  /** The credentials of the gateway's own, and their sources; absent: none. */
  readonly auth?: Auth;
  /** The header that carries the id of the client's request; absent: none does. */
  readonly requestId?: string;
  /** The limit in effect: an attempt cannot take longer than the request. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  /** The deepest nesting of a JSON response that is accepted. */
  readonly maxDepth: number;
  /** `false`: no retries. */
  readonly retry: (Required<RetryConfig> & { readonly budget: Service['retryBudget'] }) | false;
  readonly hedge: Required<HedgeConfig> | false;
  readonly breaker: Required<EffectiveBreaker> | false;
  readonly bulkhead: Service['bulkhead'];
  /** Takes effect if the service has several addresses. */
  readonly ejection: Service['ejection'];
  readonly health?: Service['health'];
  /** The service's certificates, by their sources; absent: the public authorities. */
  readonly tls?: TlsConfig;
}

/** With the bound on bytes that goes with the place of the keys: request line or body. */
export interface ExplainedBatch extends MaxBytes {
  readonly by: string;
  /** The answer is an object by key, or has one entry for each key; absent: by fields of items. */
  readonly match?: 'key' | 'position';
  /** When two keys are the same; absent: exactly. */
  readonly compare?: 'caseless' | 'number';
  /** The most keys in one request. */
  readonly max: number;
  readonly keys: string;
  /** How long a batch waits for more calls; 0: until the turn of the event loop ends. */
  readonly windowMs: number;
}

/** The calls of a lookup that asks for one key at a time. */
export interface ExplainedSingle {
  readonly by: string;
  /** The most calls of a client request that are under way at a time. */
  readonly concurrency: number;
  /** The most calls that the step makes: one for each item of the lists around it. */
  readonly mostCalls: number;
}

/** `items`: the most times that the step runs for one request. */
export function explainCall(
  step: CallStep,
  { deadlineMs, items }: { readonly deadlineMs: number; readonly items: number },
): ExplainedCall {
  const { operation } = step;
  const { service, lookup, policies, coalesce, cache } = operation;
  const { retry, hedge } = policies;
  const isRead = operation.safe;
  return {
    operation: operationName(operation),
    route: operation.route.text,
    ...named('body', operation.bodyKind),
    ...named('response', operation.responseKind),
    ...explainPages(step),
    ...(lookup && { ...explainKeys(lookup, items), ...explainErrors(lookup) }),
    coalesce,
    ...(cache && { cache }),
    forward: operation.forward,
    ...explainHeaders(operation),
    ...explainMeanings(operation),
    ...(operation.queryStyle && { queryStyle: operation.queryStyle }),
    ...(operation.redirects === 'follow' && { redirects: 'follow' as const }),
    ...(operation.auth && { auth: operation.auth }),
    ...(service.requestId !== undefined && { requestId: service.requestId }),
    timeoutMs: Math.min(policies.timeoutMs, deadlineMs),
    maxBodyBytes: policies.maxBodyBytes,
    maxDepth: policies.maxDepth,
    retry: retry !== false && operation.idempotent && { ...retry, budget: service.retryBudget },
    hedge: isRead && operation.idempotent && hedge,
    breaker: explainBreaker(operation),
    bulkhead: service.bulkhead,
    ejection: service.ejection,
    ...(service.health && { health: service.health }),
    ...(service.tls && { tls: service.tls }),
  };
}

/** A field with the name of a kind, unless that is plain JSON. */
export function named<Field extends string>(
  field: Field,
  kind: BodyKind,
): { [F in Field]?: string } {
  const shown = shownKind(kind);
  if (shown === undefined) return {};
  return { [field]: shown } as { [F in Field]?: string }; // TypeScript widens a computed name
}

/** Answers whose meaning is not their status, or that clients are told more of. */
function explainMeanings({
  missing,
  failure,
  problem,
}: Operation): Pick<ExplainedCall, 'missing' | 'failure' | 'problem'> {
  return {
    ...(missing === 'null' && { missing }),
    ...(failure && { failure: shownStatus(failure) }),
    ...(problem && { problem: problem.errors.text }),
  };
}

function explainPages({ pages }: CallStep): Pick<ExplainedCall, 'pages'> {
  return pages === undefined ? {} : { pages: { next: pages.next.kind, max: pages.maxPages } };
}

function explainHeaders({
  service,
  headers,
  parts,
}: Operation): Pick<ExplainedCall, 'takes' | 'sends' | 'gives'> {
  const { names: takes = [], constants = {} } = headers ?? {};
  const sends = { ...service.headers, ...constants };
  const gives = [...(parts?.headers ?? []), ...(parts?.status ? ['status'] : [])];
  return {
    ...(takes.length > 0 && { takes }),
    ...(Object.keys(sends).length > 0 && { sends }),
    ...(gives.length > 0 && { gives }),
  };
}

function explainBreaker({ service, policies }: Operation): ExplainedCall['breaker'] {
  if (service.breaker === false) return false;
  return { ...service.breaker, slowMs: slowMsOf(service.breaker, policies) };
}

function explainErrors({ errors }: Lookup): Pick<ExplainedCall, 'errors'> {
  return errors === undefined ? {} : { errors: shownErrors(errors) };
}

function explainKeys(lookup: Lookup, items: number): Pick<ExplainedCall, 'batch' | 'single'> {
  const { concurrency } = lookup;
  if (concurrency === undefined) return { batch: explainBatch(lookup) };
  return { single: { by: shownBy(lookup), concurrency, mostCalls: items } };
}

/** `&limit=2`, of the two keys of the example. */
function limitExample({ keys, limit }: Lookup): string {
  if (limit === undefined) return '';
  return `${keys.kind === 'body' ? ' and ?' : '&'}${limitInQuery(limit, 2)}`;
}

function explainBatch(lookup: Lookup): ExplainedBatch {
  const { max, maxBytes, windowMs } = lookup;
  return {
    by: shownBy(lookup),
    ...(lookup.match !== 'by' && { match: lookup.match }),
    ...(lookup.compare !== 'exact' && { compare: lookup.compare }),
    max,
    [bytesKnob(lookup.keys)]: maxBytes,
    keys: keysExample(lookup) + limitExample(lookup),
    windowMs,
  };
}
