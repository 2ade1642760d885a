/** Ids of traces that are known before the trace begins, so that a sampler can go by them. */
import type { IdGenerator } from '@opentelemetry/sdk-trace';

export interface TraceIds extends IdGenerator {
  /** The id of the trace that is begun next. */
  nextTraceId(): string;
}

export function traceIdsOf(ids: IdGenerator): TraceIds {
  let next: string | undefined;
  const nextTraceId = (): string => (next ??= ids.generateTraceId());
  return {
    nextTraceId,
    generateTraceId() {
      const traceId = nextTraceId();
      next = undefined;
      return traceId;
    },
    generateSpanId: () => ids.generateSpanId(),
  };
}
