/** What is passed along a request as its opaque `trace`: which span is the parent of what comes next. */
import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span, SpanKind, Tracer } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Exchange } from '../http/exchange.ts';
import { now } from './time.ts';
import { trustParent } from './trust.ts';

/** A span as parent. Where nothing is recorded it still says which trace this is. */
export interface Scope {
  readonly span: Span;
  readonly context: Context;
  /** Decided once per request: whether anything below is recorded. */
  readonly isRecording: boolean;
}

/** The scope carried by an opaque `trace`; requests that are not traced have none. */
export function scopeOf(carried: unknown): Scope | undefined {
  return carried as Scope | undefined; // only this layer puts anything there
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
  return { span, context: trace.setSpan(parent, span), isRecording: span.isRecording() };
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
export function contextFrom(request: Pick<Exchange, 'header'>, isTrusted: boolean): Context {
  if (request.header('traceparent') === undefined) return ROOT_CONTEXT;
  const context = propagator.extract(ROOT_CONTEXT, request, {
    get: (carrier: Pick<Exchange, 'header'>, key) => carrier.header(key),
    keys: () => propagator.fields(),
  });
  return isTrusted ? trustParent(context) : context;
}

/** The headers that continue a trace. */
export function headersFor({ context }: Scope): Record<string, string> {
  const headers: Record<string, string> = {};
  propagator.inject(context, headers, {
    set: (carrier: Record<string, string>, key, value) => Object.assign(carrier, { [key]: value }),
  });
  return headers;
}
