/** Scopes: spans as parents, passed along a request as its opaque `trace`. */
import { ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import type { Context, Span, SpanContext, SpanKind, Tracer } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import type { Trace } from '../trace.ts';
import { carriedBy } from './carried.ts';
import type { Carried } from './carried.ts';
import { now } from './time.ts';
import { trustParent } from './trusted-peers.ts';

/** A span as parent. Requests that are not recorded have none. */
export interface Scope extends Carried {
  readonly span: Span;
  readonly context: Context;
}

/** The scope carried by a trace; `undefined` where nothing is recorded. */
export function scopeOf(carried: Trace | undefined): Scope | undefined {
  const scope = carriedBy<Carried | Scope>(carried);
  return scope !== undefined && 'span' in scope ? scope : undefined;
}

/** Names a request that is not recorded: the trace it is part of goes on, marked as not sampled. */
export function unrecorded(parent: Context, ids: IdGenerator): Carried & Ids {
  const remote = trace.getSpanContext(parent);
  const traceId = remote?.traceId ?? ids.generateTraceId();
  const spanId = ids.generateSpanId();
  const { traceState } = remote ?? {};
  return { traceId, spanId, headers: headersFor({ traceId, spanId, traceFlags: 0, traceState }) };
}

/** As logs and problems show them. */
export interface Ids {
  readonly traceId: string;
  readonly spanId: string;
}

export function openScope(
  tracer: Tracer,
  name: string,
  { kind, parent, links = [] }: { kind: SpanKind; parent: Context; links?: readonly Scope[] },
): Scope {
  const options = {
    kind,
    startTime: now(),
    links: links.map(({ span }) => ({ context: span.spanContext() })),
  };
  const span = tracer.startSpan(name, options, parent);
  const context = trace.setSpan(parent, span);
  return { span, context, headers: headersFor(span.spanContext()) };
}

function headersFor({ traceId, spanId, traceFlags, traceState }: Named): Scope['headers'] {
  const flags = (traceFlags & TraceFlags.SAMPLED) === 0 ? '00' : '01';
  const traceparent = `00-${traceId}-${spanId}-${flags}`;
  const tracestate = traceState?.serialize();
  return tracestate ? { traceparent, tracestate } : { traceparent };
}

type Named = Pick<SpanContext, 'traceId' | 'spanId' | 'traceFlags'> & {
  readonly traceState?: SpanContext['traceState'] | undefined;
};

export function markError({ span }: Scope, type: string, message?: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
}

const propagator = new W3CTraceContextPropagator();

/**
 * The context a client's request came with: `traceparent` and `tracestate` (W3C Trace Context).
 * Where the client is trusted, its flag may say whether the request is recorded.
 */
export function contextFrom(request: Headed, isTrusted: () => boolean): Context {
  if (request.header('traceparent') === undefined) return ROOT_CONTEXT;
  const context = propagator.extract(ROOT_CONTEXT, request, {
    get: (carrier: Headed, key) => carrier.header(key),
    keys: () => propagator.fields(),
  });
  return isTrusted() ? trustParent(context) : context;
}

interface Headed {
  header(name: string): string | undefined;
}
