/** Keeps the latest traces in this process, to look at without a collector. */
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/** A span for display. Times are in milliseconds since 1970, with fractions. */
export interface StoredSpan {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  /** `error.type`. */
  readonly error?: string;
  /** The description of the failure. */
  readonly message?: string;
  readonly attributes: ReadableSpan['attributes'];
}

export interface StoredTrace {
  readonly traceId: string;
  readonly spans: readonly StoredSpan[];
}

export interface TraceStore {
  /** The latest first. */
  latest(): readonly StoredTrace[];
  find(traceId: string): StoredTrace | undefined;
}

const mostTraces = 200;
const mostSpans = 1_000;

export function createTraceStore(): TraceStore & { readonly processor: SpanProcessor } {
  const traces = new Map<string, StoredSpan[]>();

  function keep(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    const spans = traces.get(traceId) ?? [];
    // The latest come last, even when a client reuses an id.
    traces.delete(traceId);
    traces.set(traceId, spans);
    // The request's span ends last, which completes the trace.
    if (spans.length >= mostSpans && isFirst(span)) spans.pop();
    if (spans.length < mostSpans) spans.push(toStored(span));
    if (traces.size <= mostTraces) return;
    const [oldest = ''] = traces.keys();
    traces.delete(oldest);
  }

  return {
    latest: () => [...traces].map(([traceId, spans]) => ({ traceId, spans })).toReversed(),
    find(traceId) {
      const spans = traces.get(traceId);
      return spans && { traceId, spans };
    },
    processor: {
      onStart: () => undefined,
      onEnd: keep,
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    },
  };
}

function isFirst({ parentSpanContext }: ReadableSpan): boolean {
  return parentSpanContext === undefined || parentSpanContext.isRemote === true;
}

function toStored(span: ReadableSpan): StoredSpan {
  const { spanId } = span.spanContext();
  const error = span.attributes['error.type'];
  const { message } = span.status;
  return {
    spanId,
    ...(span.parentSpanContext && { parentSpanId: span.parentSpanContext.spanId }),
    name: span.name,
    startMs: toMs(span.startTime),
    endMs: toMs(span.endTime),
    ...(error !== undefined && { error: String(error) }),
    ...(message !== undefined && { message }),
    attributes: span.attributes,
  };
}

function toMs([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1_000 + nanoseconds / 1e6;
}
