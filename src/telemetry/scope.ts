/** What is passed along a request as its opaque `trace`: which span is the parent of what comes next. */
import { ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import type { Context, Span, SpanKind, Tracer } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { carriedBy } from './carried.ts';
import type { Carried } from './carried.ts';
import { now } from './time.ts';
import { trustParent } from './trust.ts';

/** A span as parent. Where nothing is recorded it still says which trace this is. */
export interface Scope extends Carried {
  readonly span: Span;
  readonly context: Context;
  /** Decided once per request: whether anything below is recorded. */
  readonly isRecording: boolean;
}

/** The scope carried by a trace; requests that are not traced have none. */
export function scopeOf(carried: unknown): Scope | undefined {
  return carriedBy<Scope>(carried);
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
  return { span, context, headers: headersFor(span), isRecording: span.isRecording() };
}

function headersFor(span: Span): Scope['headers'] {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const flags = (traceFlags & TraceFlags.SAMPLED) === 0 ? '00' : '01';
  const traceparent = `00-${traceId}-${spanId}-${flags}`;
  const tracestate = traceState?.serialize();
  return tracestate ? { traceparent, tracestate } : { traceparent };
}

export function markError({ span }: Scope, type: string, message?: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
}

const propagator = new W3CTraceContextPropagator();

/**
 * The context a client's request came with: `traceparent` and `tracestate` (W3C Trace Context). Where the
 * client is trusted, its flag may say whether the request is recorded.
 */
export function contextFrom(request: Headed, isTrusted: boolean): Context {
  if (request.header('traceparent') === undefined) return ROOT_CONTEXT;
  const context = propagator.extract(ROOT_CONTEXT, request, {
    get: (carrier: Headed, key) => carrier.header(key),
    keys: () => propagator.fields(),
  });
  return isTrusted ? trustParent(context) : context;
}

interface Headed {
  header(name: string): string | undefined;
}
