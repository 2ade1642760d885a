/** A plan as data for people: what needs what, what is batched, which limits are in effect. */
import { bodyKindOf, shownKind } from '../dsl/body-kind.ts';
import type { BodyKind } from '../dsl/body-kind.ts';
import type { OperationCache } from '../dsl/cache.ts';
import type { Auth } from '../dsl/credentials.ts';
import { traitsOf } from '../dsl/node-traits.ts';
import type { StepKind } from '../dsl/node-traits.ts';
import { shownBy } from '../dsl/lookup-by.ts';
import { bytesKnob } from '../dsl/key-bytes.ts';
import type { MaxBytes } from '../dsl/key-bytes.ts';
import { keysExample } from '../dsl/lookup-keys.ts';
import { limitInQuery } from '../dsl/lookup-limit.ts';
import type { Lookup } from '../dsl/lookup.ts';
import { shownErrors } from '../dsl/key-errors.ts';
import { shownStatus } from '../dsl/status-rule.ts';
import type { OwnHeaders } from '../dsl/own-headers.ts';
import type { NextRule } from '../dsl/pages-rule.ts';
import { operationName } from '../dsl/operation.ts';
import type { Operation } from '../dsl/operation.ts';
import type { WrittenStyle } from '../dsl/query-style.ts';
import { slowMsOf } from '../dsl/policies.ts';
import type { EffectiveBreaker, HedgeConfig, RetryConfig } from '../dsl/policies.ts';
import type { Service } from '../dsl/service.ts';
import type { TlsConfig } from '../dsl/tls.ts';
import { parallelWrites } from './parallel-writes.ts';
import type {
  CallStep,
  Plan,
  PlanAnswer,
  PlanBlock,
  PlanCache,
  PlanRateLimit,
  QueryRule,
  Step,
} from '../plan/plan.ts';

/** The output of `plait explain --json`. */
export interface ExplainedPlan {
  readonly composition: string;
  readonly route: string;
  readonly summary?: string;
  /** The kind of the request's body; absent: JSON, or none. */
  readonly body?: string;
  readonly deadlineMs: number;
  readonly degraded: 'allow' | 'fail';
  /**
   * The least number of round trips: the length of the longest chain of calls that need each other.
   */
  readonly roundTrips: number;
  /** The most, if every list has as many pages as it may; absent: the same. */
  readonly mostRoundTrips?: number;
  /** The names of writes that may run beside other writes; absent: there are none. */
  readonly parallelWrites?: readonly string[];
  /** How often it may be asked for, and what a request takes of that; absent: any number of times. */
  readonly rateLimit?: PlanRateLimit;
  /** The most that caches may keep of the response; absent: nothing. Times in seconds. */
  readonly cache?: PlanCache & { readonly vary: readonly string[] };
  /** The status and headers that the composition gives; absent: 200, and those of the gateway. */
  readonly answer?: { readonly status: number | 'by data'; readonly headers: readonly string[] };
  /** The client's cookies that it reads, and those of them that are credentials; absent: none. */
  readonly cookies?: { readonly names: readonly string[]; readonly credentials: readonly string[] };
  /** What becomes of query parameters without a schema; absent: what the gateway says. */
  readonly unknownQuery?: NonNullable<QueryRule>;
  readonly steps: readonly ExplainedStep[];
}

export interface ExplainedStep {
  readonly name: string;
  readonly kind: StepKind;
  /** The names of the steps whose values it needs; empty: it starts with the request. */
  readonly needs: readonly string[];
  readonly failure: 'required' | 'optional' | 'fallback';
  /** How long it may take before it counts as failed; absent: as long as the request. */
  readonly withinMs?: number;
  readonly call?: ExplainedCall;
  /** The most items `each` runs for. */
  readonly maxItems?: number;
  /** How many calls inside `each` may be under way at a time, lookups aside; absent: any number. */
  readonly concurrency?: number;
  /** Whether `each` runs every step for all items at once; `false`: each item has its own pace. */
  readonly together?: boolean;
  /** The steps inside `given`, `each` and the function of `fallback`. */
  readonly steps?: readonly ExplainedStep[];
}

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

export function explain(plan: Plan): ExplainedPlan {
  const writes = parallelWrites(plan);
  return {
    composition: plan.name,
    route: plan.route.text,
    ...(plan.summary !== undefined && { summary: plan.summary }),
    ...named('body', bodyKindOf(plan.schemas.body)),
    deadlineMs: plan.deadlineMs,
    degraded: plan.degraded,
    ...explainRoundTrips(plan),
    ...(writes.length > 0 && { parallelWrites: writes }),
    ...(plan.rateLimit && { rateLimit: plan.rateLimit }),
    ...(plan.cache && { cache: { ...plan.cache, vary: plan.vary } }),
    ...(plan.answer && { answer: explainAnswer(plan.answer) }),
    ...explainInputs(plan),
    steps: explainBlock(plan, plan.root, 1),
  };
}

function explainInputs(plan: Plan): Pick<ExplainedPlan, 'cookies' | 'unknownQuery'> {
  const { schemas, credentials, unknownQuery } = plan;
  const names = Object.keys(schemas.cookies?.shape ?? {});
  return {
    ...(names.length > 0 && { cookies: { names, credentials } }),
    ...(unknownQuery !== undefined && { unknownQuery }),
  };
}

function explainAnswer({ status, headers }: PlanAnswer): NonNullable<ExplainedPlan['answer']> {
  return {
    status: status.kind === 'literal' ? Number(status.value) : 'by data',
    headers: headers.map(({ name }) => name),
  };
}

/** `items`: the most times that the block runs for one request. */
function explainBlock(plan: Plan, block: PlanBlock, items: number): ExplainedStep[] {
  return block.steps.flatMap((step) => {
    if (!isShown(step)) return [];
    return {
      name: step.name,
      kind: step.kind,
      needs: shownNeeds(plan, step).map(({ name }) => name),
      failure: step.tolerated ?? 'required',
      ...(step.limitMs !== undefined && { withinMs: step.limitMs }),
      ...detailsOf(plan, step, items),
    };
  });
}

/** The details that only steps of its kind have. */
function detailsOf(
  plan: Plan,
  step: ShownStep,
  items: number,
): Pick<ExplainedStep, 'call' | 'maxItems' | 'concurrency' | 'together' | 'steps'> {
  switch (step.kind) {
    case 'call':
      return { call: explainCall(step, { deadlineMs: plan.deadlineMs, items }) };
    case 'map':
      return {};
    case 'instead':
    case 'given':
      return { steps: explainBlock(plan, step.block, items) };
    case 'each':
      return {
        maxItems: step.max,
        ...(step.concurrency !== undefined && { concurrency: step.concurrency }),
        together: step.block.together,
        steps: explainBlock(plan, step.block, items * step.max),
      };
    default:
      return step satisfies never;
  }
}

/** The shown steps that a step needs, seen through `pick`, `optional` and the like. */
function shownNeeds(plan: Plan, step: Step): Step[] {
  const found = step.needs.flatMap((id) => {
    const need = plan.steps[id];
    return need === undefined ? [] : isShown(need) ? [need] : shownNeeds(plan, need);
  });
  return [...new Set(found)];
}

type ShownStep = Extract<Step, { kind: StepKind }>;

function isShown(step: Step): step is ShownStep {
  return traitsOf(step).isStep;
}

function explainCall(
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
function named<Field extends string>(field: Field, kind: BodyKind): { [F in Field]?: string } {
  const shown = shownKind(kind);
  return shown === undefined ? {} : ({ [field]: shown } as { [F in Field]?: string }); // the only one
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

function explainRoundTrips(plan: Plan): Pick<ExplainedPlan, 'roundTrips' | 'mostRoundTrips'> {
  const roundTrips = countRoundTrips(plan, () => 1);
  const most = countRoundTrips(plan, ({ pages }) => pages?.maxPages ?? 1);
  return { roundTrips, ...(most > roundTrips && { mostRoundTrips: most }) };
}

/** The length of the longest chain of calls that need each other. */
function countRoundTrips({ root }: Plan, tripsOf: (step: CallStep) => number): number {
  // By step: the number of consecutive calls until it, and all steps inside it, have their values.
  const reached = new Map<number, number>();

  /** `before`: the number of calls before the `given` or `each` around the block. */
  function countIn(block: PlanBlock, before: number): number {
    for (const step of block.steps) {
      const waited = Math.max(before, ...step.needs.map((need) => reached.get(need) ?? 0));
      const own = waited + (step.kind === 'call' ? tripsOf(step) : 0);
      // A second source is asked after a failure only.
      const isRun = 'block' in step && step.kind !== 'instead';
      reached.set(step.id, isRun ? countIn(step.block, own) : own);
    }
    return Math.max(before, ...block.steps.map(({ id }) => reached.get(id) ?? 0));
  }

  return countIn(root, 0);
}
