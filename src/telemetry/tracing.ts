/**
 * Spans of requests, steps, batches and attempts. Parents travel in the request's opaque `trace`:
 * async context would cost more, and a batch belongs to several requests at once.
 */
import { SpanKind } from '@opentelemetry/api';
import type { HrTime, Tracer } from '@opentelemetry/api';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import type { Clock } from '../clock.ts';
import { operationName } from '../dsl/operation.ts';
import type { StepRun, WatchStep } from '../engine/execution.ts';
import { UpstreamError } from '../errors.ts';
import { isHealthCheck } from '../http/health.ts';
import { pathOf } from '../http/request-record.ts';
import type { GatewayContext, Layer, RequestRecord } from '../http/request-record.ts';
import type { Attempt, Call, Dispatch } from '../upstream/call.ts';
import { carriedBy, toTrace } from './carried.ts';
import type { Carried } from './carried.ts';
import { errorType, isCancelled, messageOf, reasonOf } from './error-type.ts';
import { knownMethod } from './method.ts';
import type { RequestSampler } from './sampler.ts';
import { contextFrom, markError, openScope, scopeOf, unrecorded } from './scope.ts';
import type { Ids, Scope } from './scope.ts';
import type { Observer } from './telemetry.ts';
import { now } from './time.ts';

export interface TracingOptions {
  readonly tracer: Tracer;
  readonly sampler: RequestSampler;
  /** For requests that are not recorded: they are part of a trace all the same. */
  readonly ids: IdGenerator;
  readonly clock: Clock;
  /** Whether a peer may decide that its requests are recorded. */
  readonly isTrusted: (peer: string) => boolean;
}

/** The most links of a batch, which may serve very many steps. */
const mostLinks = 32;

const unwatched = Object.freeze({});

export function createTracing(options: TracingOptions): Observer {
  const { tracer, clock } = options;
  const watchStep = traceSteps(tracer);
  return {
    layers: [traceRequests(options)],

    watchSteps: ({ trace }) => (scopeOf(trace) === undefined ? undefined : watchStep),

    aroundCall: (next) =>
      function traceBatch(call) {
        if (call.keys === undefined) return next(call);
        const waiting = call.callers.waiting();
        const [first, ...others] = scopesOf(waiting);
        // A batch of one is part of its step.
        if (first === undefined || waiting.length === 1) return next(call);
        const scope = openScope(tracer, `batch ${nameOf(call)}`, {
          kind: SpanKind.INTERNAL,
          parent: first.context,
          links: others.slice(0, mostLinks),
        });
        // Delayed, so that its attempts, which the same signal ends, end before it.
        const end = endAtAbort(scope, call, queueMicrotask);
        scope.span.setAttribute('plait.batch.size', call.keys.length);
        scope.span.setAttribute('plait.batch.loads', waiting.length);
        scope.span.setAttribute('plait.batch.wait_ms', waitOf(waiting, clock));
        return within(scope, () => next({ ...call, trace: toTrace(scope) }), end);
      },

    watchAttempt: (attempt) => {
      const outer = scopeOf(attempt.trace);
      if (outer === undefined) return carriedBy(attempt.trace) ?? unwatched;
      const { method, template } = attempt.operation.route;
      const scope = openScope(tracer, `${method} ${template}`, {
        kind: SpanKind.CLIENT,
        parent: outer.context,
      });
      const end = endAtAbort(scope, attempt);
      describeAttempt(scope, attempt);
      return {
        headers: scope.headers,
        onEnd({ failure, status }) {
          if (status !== undefined) scope.span.setAttribute('http.response.status_code', status);
          if (failure !== undefined) describeFailure(scope, failure);
          end();
        },
      };
    },
  };
}

function traceRequests({ tracer, sampler, ids, isTrusted }: TracingOptions): Layer {
  return async function traceRequest(c, next) {
    if (isHealthCheck(c)) return next();
    const record = c.get('record');
    const parent = contextFrom(c.req, isTrusted(record.peer));
    const decided = sampler.decide(parent);
    if (decided === undefined) {
      const own = unrecorded(parent, ids);
      nameRequest(record, own, own);
      return next();
    }
    const scope = openScope(tracer, c.req.method, { kind: SpanKind.SERVER, parent: decided });
    nameRequest(record, scope, scope.span.spanContext());
    try {
      await next();
      describeRequest(scope, c);
    } finally {
      scope.span.end(now());
    }
  };
}

function nameRequest(record: RequestRecord, carried: Carried, { traceId, spanId }: Ids): void {
  record.trace = toTrace(carried);
  record.traceId = traceId;
  record.spanId = spanId;
}

function traceSteps(tracer: Tracer): WatchStep {
  return function traceStep(run) {
    const outer = scopeOf(run.trace);
    if (outer === undefined) return () => undefined;
    const scope = openScope(tracer, `step ${run.step.name}`, {
      kind: SpanKind.INTERNAL,
      parent: outer.context,
    });
    run.trace = toTrace(scope);
    return function endStep(failure) {
      if (failure !== undefined) describeFailure(scope, failure);
      describeStep(scope, run);
      scope.span.end(now());
    };
  };
}

/** Runs `work` and records its failure in the span. */
async function within<T>(scope: Scope, work: () => Promise<T>, end: () => void): Promise<T> {
  try {
    return await work();
  } catch (error) {
    describeFailure(scope, error);
    throw error;
  } finally {
    end();
  }
}

/** Ends a span, as of the time at which its call was cancelled if it was. */
function endAtAbort(
  { span }: Scope,
  { signal }: Pick<Call, 'signal'>,
  when = (task: () => void): void => task(),
): () => void {
  let endedAt: HrTime | undefined;
  const onAbort = (): void => when(() => (endedAt = now()));
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    signal.removeEventListener('abort', onAbort);
    span.end(endedAt ?? now());
  };
}

/** The spans of the waiting steps, each once, in order of arrival. */
function scopesOf(waiting: readonly Call[]): Scope[] {
  const scopes = waiting.map(({ trace }) => scopeOf(trace)).filter((scope) => scope !== undefined);
  return [...new Set(scopes)];
}

/** How long the first call of a batch waited for the others, in milliseconds. */
function waitOf(waiting: readonly Call[], clock: Clock): number {
  return clock.now() - Math.min(...waiting.map(({ createdAt }) => createdAt));
}

function nameOf({ operation }: Dispatch): string {
  return operationName(operation);
}

function describeRequest(scope: Scope, c: GatewayContext): void {
  const { span } = scope;
  const { status } = c.res;
  const { route, composition, degraded, error, refusal } = c.get('record');
  const method = knownMethod(c.req.method);
  span.updateName(route === undefined ? method : `${method} ${route}`);
  span.setAttribute('http.request.method', method);
  span.setAttribute('url.path', pathOf(c));
  span.setAttribute('url.scheme', 'http');
  span.setAttribute('http.response.status_code', status);
  if (route !== undefined) span.setAttribute('http.route', route);
  if (composition !== undefined) span.setAttribute('plait.composition', composition);
  if (refusal?.kind === 'overload') span.setAttribute('plait.shed', true);
  // The client disconnected.
  if (status === 499) span.setAttribute('plait.cancelled', true);
  if (degraded.length > 0)
    span.setAttribute('plait.degraded', [...new Set(degraded.map(({ step }) => step))]);
  if (status >= 500) markError(scope, errorType(error) ?? String(status), messageOf(error));
}

function describeStep({ span }: Scope, { step, skipped, items, reply }: StepRun): void {
  span.setAttribute('plait.step.name', step.name);
  if (step.kind === 'call') {
    span.setAttribute('plait.step.operation', operationName(step.operation));
  }
  if (step.tolerated !== undefined) span.setAttribute(`plait.step.${step.tolerated}`, true);
  if (skipped) span.setAttribute('plait.step.skipped', true);
  if (items !== undefined) span.setAttribute('plait.step.items', items);
  if (reply?.deduplicated === true) span.setAttribute('plait.step.deduplicated', true);
  if (reply?.cache !== undefined) span.setAttribute('plait.step.cache', reply.cache);
}

function describeAttempt({ span }: Scope, attempt: Attempt): void {
  const { operation, address, tried, queuedMs } = attempt;
  span.setAttribute('http.request.method', operation.route.method);
  span.setAttribute('url.template', operation.route.template);
  // The current name, and the one from which Jaeger draws its dependency graph.
  span.setAttribute('service.peer.name', operation.service.name);
  span.setAttribute('peer.service', operation.service.name);
  if (tried.length > 1) span.setAttribute('http.request.resend_count', tried.length - 1);
  if (queuedMs > 0) span.setAttribute('plait.bulkhead.wait_ms', queuedMs);
  span.setAttribute('server.address', address.host);
  span.setAttribute('server.port', address.port);
}

/** A cancelled call is no error: its request has ended, or another attempt was faster. */
function describeFailure(scope: Scope, error: unknown): void {
  const reason = reasonOf(error);
  if (reason instanceof UpstreamError && reason.status !== undefined) {
    scope.span.setAttribute('http.response.status_code', reason.status);
  }
  if (isCancelled(reason)) scope.span.setAttribute('plait.cancelled', true);
  else markError(scope, errorType(reason) ?? 'unknown', messageOf(reason));
}
