/** Scopes: spans as parents, passed along a request as its opaque `trace`. */
import { ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import type {
  Context,
  HrTime,
  Link,
  Span,
  SpanContext,
  SpanKind,
  Tracer,
} from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import type { Trace } from '../trace.ts';
import { carriedBy } from './carried.ts';
import type { Carried } from './carried.ts';
import { now } from './time.ts';
import type { RemoteSpan } from './trace-context.ts';

/** A span as parent. Requests that are not recorded have none. */
export interface Scope extends Carried {
  readonly span: Span;
  readonly context: Context;
  /** When it began, or the latest call within it: it does not end before. */
  begunAt: HrTime;
}

/** The scope carried by a trace; `undefined` where nothing is recorded. */
export function scopeOf(carried: Trace | undefined): Scope | undefined {
  const scope = carriedBy<Carried | Scope>(carried);
  return scope !== undefined && 'span' in scope ? scope : undefined;
}

/** Names a request that is not recorded: the trace that it continues or begins is not sampled. */
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

export interface SpanStart {
  readonly kind: SpanKind;
  readonly parent: Context;
  readonly links?: readonly Linked[];
}

export function openScope(tracer: Tracer, name: string, { kind, parent, links }: SpanStart): Scope {
  const startTime = now();
  const options =
    links === undefined ? { kind, startTime } : { kind, startTime, links: links.map(toLink) };
  return new OpenScope(tracer.startSpan(name, options, parent), parent, startTime);
}

/** Makes its context for a child and its headers for a service only when they are asked for. */
class OpenScope implements Scope {
  readonly span: Span;
  readonly #parent: Context;
  begunAt: HrTime;
  #context: Context | undefined;

  constructor(span: Span, parent: Context, begunAt: HrTime) {
    this.span = span;
    this.#parent = parent;
    this.begunAt = begunAt;
  }

  get context(): Context {
    return (this.#context ??= trace.setSpan(this.#parent, this.span));
  }

  get headers(): Scope['headers'] {
    return headersFor(this.span.spanContext());
  }
}

function toLink(linked: Linked): Link {
  return { context: 'span' in linked ? linked.span.spanContext() : linked };
}

/** A span to link to, of this process or of another. */
export type Linked = Pick<Scope, 'span'> | SpanContext;

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

/** The context of a request that continues the trace of `parent`, or begins one. */
export function contextFrom(parent: RemoteSpan | undefined): Context {
  return parent === undefined
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, {
        ...foreignContext(parent),
        ...(parent.tracestate !== undefined && { traceState: new TraceState(parent.tracestate) }),
      });
}

/** A span of another process, without its `tracestate`. */
export function foreignContext({ traceId, spanId, isSampled }: RemoteSpan): SpanContext {
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return { traceId, spanId, traceFlags, isRemote: true };
}
