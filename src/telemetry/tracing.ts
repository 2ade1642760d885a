/**
 * Spans around requests, steps, batches and attempts. Parents are passed along in the request's opaque
 * `trace`: async context would cost more, and a batch belongs to several requests at once.
 */
import { SpanKind } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import type { Clock } from '../clock.ts';
import type { StepRun } from '../engine/execution.ts';
import { StepError } from '../engine/step-error.ts';
import { ExecutionError, UpstreamError } from '../errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { healthPaths } from '../http/health.ts';
import { loadsOf } from '../upstream/call.ts';
import type { Call } from '../upstream/call.ts';
import { contextFrom, headersFor, markError, openScope, scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';
import type { Telemetry } from './telemetry.ts';
import { now } from './time.ts';

/** A batch may serve very many steps; this many are linked. */
const mostLinks = 32;

export function createTracing(
  tracer: Tracer,
  clock: Clock,
): Omit<Telemetry, 'shutdown' | 'aroundLoad'> {
  return {
    aroundHandler: (next) => async (request, exchange) => {
      if (isHealthCheck(request.url)) return next(request, exchange);
      const parent = contextFrom(request.headers);
      const scope = openScope(tracer, request.method, { kind: SpanKind.SERVER, parent });
      Object.assign(exchange, { trace: scope, traceId: scope.span.spanContext().traceId });
      try {
        const response = await next(request, exchange);
        if (scope.isRecording)
          describeRequest(scope, request, { exchange, status: response.status });
        return response;
      } finally {
        scope.span.end(now());
      }
    },

    aroundStep: async (run, work) => {
      const outer = recordingScope(run.trace);
      if (outer === undefined) return work();
      const scope = openScope(tracer, `step ${run.step.name}`, {
        kind: SpanKind.INTERNAL,
        parent: outer.context,
      });
      Object.assign(run, { trace: scope });
      try {
        return await work();
      } catch (error) {
        describeFailure(scope, error);
        throw error;
      } finally {
        describeStep(scope, run);
        scope.span.end(now());
      }
    },

    aroundCall: (next) => async (call) => {
      const [first, ...others] = waitingScopes(call);
      if (call.keys === undefined || first === undefined) return next(call);
      const scope = openScope(tracer, `batch ${nameOf(call)}`, {
        kind: SpanKind.INTERNAL,
        parent: first.context,
        links: others.slice(0, mostLinks),
      });
      scope.span.setAttribute('plait.batch.size', call.keys.length);
      scope.span.setAttribute('plait.batch.loads', loadsOf(call).length);
      scope.span.setAttribute('plait.batch.wait_ms', waitOf(call, clock));
      try {
        return await next({ ...call, trace: scope });
      } catch (error) {
        describeFailure(scope, error);
        throw error;
      } finally {
        scope.span.end(now());
      }
    },

    aroundAttempt: (next) => async (call) => {
      const outer = scopeOf(call.trace);
      if (outer === undefined) return next(call);
      if (!outer.isRecording) return next(withHeaders(call, outer));
      const { method, template } = call.operation.route;
      const scope = openScope(tracer, `${method} ${template}`, {
        kind: SpanKind.CLIENT,
        parent: outer.context,
      });
      describeAttempt(scope, call);
      try {
        const reply = await next(withHeaders(call, scope));
        scope.span.setAttribute('http.response.status_code', reply.status);
        return reply;
      } catch (error) {
        describeFailure(scope, error);
        throw error;
      } finally {
        scope.span.end(now());
      }
    },
  };
}

/** Whoever runs the process asks all the time; an id that looks the same is no health check. */
function isHealthCheck(url: string): boolean {
  return healthPaths.has(new URL(url).pathname);
}

function recordingScope(carried: unknown): Scope | undefined {
  const scope = scopeOf(carried);
  return scope?.isRecording === true ? scope : undefined;
}

/** The spans whose steps wait for a call, each once, in the order in which they came. */
function waitingScopes(call: Call): Scope[] {
  const scopes = loadsOf(call)
    .map((waiter) => recordingScope(waiter.trace))
    .filter((scope) => scope !== undefined);
  return [...new Set(scopes)];
}

function withHeaders(call: Call, scope: Scope): Call {
  return { ...call, headers: { ...call.headers, ...headersFor(scope) } };
}

/** How long the first of a batch waited for the others. */
function waitOf(call: Call, clock: Clock): number {
  return clock.now() - Math.min(...loadsOf(call).map(({ createdAt }) => createdAt));
}

function nameOf({ operation }: Call): string {
  return `${operation.service.name}.${operation.name}`;
}

function describeRequest(
  scope: Scope,
  request: Request,
  { exchange, status }: { exchange: Exchange; status: number },
): void {
  const { span } = scope;
  const { route, composition, degraded, error } = exchange;
  const url = new URL(request.url);
  if (route !== undefined) span.updateName(`${request.method} ${route}`);
  span.setAttribute('http.request.method', request.method);
  span.setAttribute('url.path', url.pathname);
  span.setAttribute('url.scheme', url.protocol.slice(0, -1));
  span.setAttribute('http.response.status_code', status);
  if (route !== undefined) span.setAttribute('http.route', route);
  if (composition !== undefined) span.setAttribute('plait.composition', composition);
  if (degraded.length > 0)
    span.setAttribute('plait.degraded', [...new Set(degraded.map(({ step }) => step))]);
  if (status >= 500) markError(scope, errorType(error) ?? String(status), messageOf(error));
}

function describeStep({ span }: Scope, { step, skipped, items, reply }: StepRun): void {
  span.setAttribute('plait.step.name', step.name);
  if (step.node.kind === 'call') {
    const { service, name } = step.node.operation;
    span.setAttribute('plait.step.operation', `${service.name}.${name}`);
  }
  if (step.tolerated !== undefined) span.setAttribute(`plait.step.${step.tolerated}`, true);
  if (skipped) span.setAttribute('plait.step.skipped', true);
  if (items !== undefined) span.setAttribute('plait.step.items', items);
  if (reply?.deduplicated === true) span.setAttribute('plait.step.deduplicated', true);
  if (reply?.cache !== undefined) span.setAttribute('plait.step.cache', reply.cache);
}

function describeAttempt({ span }: Scope, { operation, endpoint, tried = [] }: Call): void {
  span.setAttribute('http.request.method', operation.route.method);
  span.setAttribute('url.template', operation.route.template);
  // The name of today, and the one Jaeger draws its dependency graph from.
  span.setAttribute('service.peer.name', operation.service.name);
  span.setAttribute('peer.service', operation.service.name);
  if (tried.length > 1) span.setAttribute('http.request.resend_count', tried.length - 1);
  if (endpoint === undefined) return;
  span.setAttribute('server.address', endpoint.host);
  span.setAttribute('server.port', endpoint.port);
}

/** A call that was called off, because its request ended, is no error. */
function describeFailure(scope: Scope, error: unknown): void {
  const reason = error instanceof StepError ? error.reason : error;
  if (reason instanceof UpstreamError && reason.status !== undefined) {
    scope.span.setAttribute('http.response.status_code', reason.status);
  }
  const type = errorType(reason);
  if (type === 'disconnected' || type === 'aborted')
    scope.span.setAttribute('plait.cancelled', true);
  else markError(scope, type ?? 'unknown', messageOf(reason));
}

function errorType(error: unknown): string | undefined {
  const reason = error instanceof StepError ? error.reason : error;
  if (reason instanceof UpstreamError)
    return reason.kind === 'status' ? String(reason.status) : reason.kind;
  if (reason instanceof ExecutionError) return reason.kind;
  return reason instanceof Error ? reason.name : undefined;
}

/** Our own messages never hold a secret; those of foreign errors might. */
function messageOf(error: unknown): string | undefined {
  const ours = [StepError, UpstreamError, ExecutionError].some((known) => error instanceof known);
  return ours && error instanceof Error ? error.message : undefined;
}
