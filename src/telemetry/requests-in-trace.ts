/** Takes traces apart: the requests of one page, or those of a service, may belong to one. */
import type { StoredSpan, StoredTrace } from './trace-store.ts';

/**
 * A trace for each request, the latest first, with its own span first and those below it. A trace
 * of one request, or of none that has ended, stays as it is.
 */
export function requestsIn(whole: StoredTrace): readonly StoredTrace[] {
  const { traceId, spans } = whole;
  const requests = spans.filter(isRequest);
  if (requests.length < 2) return [whole];
  const children = Map.groupBy(spans, ({ parentSpanId }) => parentSpanId);
  const treeOf = (span: StoredSpan): StoredSpan[] => [
    span,
    ...(children.get(span.spanId) ?? []).flatMap(treeOf),
  ];
  return requests
    .toSorted((one, other) => other.endMs - one.endMs)
    .map((request) => ({ traceId, spans: treeOf(request) }));
}

/** The span of the request, which ends last; `undefined` before. */
export function requestOf({ spans }: StoredTrace): StoredSpan | undefined {
  return spans.find(isRequest);
}

/** Only that of a request has its id. */
function isRequest({ attributes }: StoredSpan): boolean {
  return 'plait.request_id' in attributes;
}
