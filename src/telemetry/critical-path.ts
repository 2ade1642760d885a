/** The critical path of a trace: at each moment the span that everything else waited for. */
import { serviceOf } from './culprits.ts';
import type { StoredSpan } from './trace-store.ts';

/** A span that another one waited for may end this much after the other one has begun. */
const slackMs = 1;

/** A part of the path, in milliseconds of the epoch, during which all waited for one span. */
interface Stretch {
  readonly span: StoredSpan;
  readonly from: number;
  readonly until: number;
}

export interface Share {
  /** The service, or `undefined` for the gateway itself. */
  readonly service: string | undefined;
  /** How long the request waited for it. */
  readonly ms: number;
}

/**
 * Where most of the time of a request went: not the sum of the calls to a service, since they may
 * run beside each other, but the time in which the response waited for that service. Waits for a
 * permit of it and before a retry count for it.
 */
export function largestShare(spans: readonly StoredSpan[], request: StoredSpan): Share {
  const byService = new Map<string | undefined, number>();
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  for (const { span, from, until } of criticalPath(spans, request)) {
    const service = nearestService(span, byId);
    byService.set(service, (byService.get(service) ?? 0) + until - from);
  }
  const [largest] = [...byService].toSorted(([, one], [, other]) => other - one);
  const [service, ms = 0] = largest ?? [];
  return { service, ms };
}

/**
 * Goes back from the end of the request: what ended last was waited for, and before it began,
 * whatever ended last until then.
 */
function criticalPath(spans: readonly StoredSpan[], request: StoredSpan): Stretch[] {
  const children = Map.groupBy(
    spans.filter((span) => span !== request),
    ({ parentSpanId }) => parentSpanId,
  );
  const stretches: Stretch[] = [];

  function walk(span: StoredSpan, end: number): void {
    let until = end;
    const below = children.get(span.spanId) ?? [];
    for (const child of below.toSorted((one, other) => other.endMs - one.endMs)) {
      const isBeside = until < end && child.endMs > until + slackMs;
      if (isBeside || child.startMs >= until) continue;
      // One that goes on after its parent was not waited for to its end.
      const childEnd = Math.min(child.endMs, until);
      stretches.push({ span, from: childEnd, until });
      walk(child, childEnd);
      until = Math.max(child.startMs, span.startMs);
    }
    stretches.push({ span, from: Math.min(span.startMs, until), until });
  }

  walk(request, request.endMs);
  return stretches;
}

/** The service of a span, or else of the nearest one above it that has one. */
function nearestService(
  span: StoredSpan,
  byId: ReadonlyMap<string, StoredSpan>,
): string | undefined {
  const parent = byId.get(span.parentSpanId ?? '');
  return serviceOf(span) ?? (parent && nearestService(parent, byId));
}
