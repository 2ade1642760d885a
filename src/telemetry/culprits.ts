/** Finds the services that are to blame for the outcome of a request, by the spans of its trace. */
import type { StoredSpan } from './trace-store.ts';

/** More services than these do not fit into a line. */
const most = 3;

/**
 * `invoicing connect`: the services whose spans failed in the same way as the request, the first
 * failure first. If the request has not failed, those of all spans that did.
 */
export function culpritsOf(spans: readonly StoredSpan[], request: StoredSpan): string[] {
  const failed = spans
    .filter((span) => span !== request && span.error !== undefined)
    .toSorted((one, other) => one.endMs - other.endMs);
  const alike = failed.filter(
    ({ error }) => request.error === undefined || error === request.error,
  );
  const named = alike.flatMap((span) => failureOf(span) ?? []);
  return [...new Set(named)].slice(0, most);
}

/** The service of a span and how it failed; `undefined` if it is of no service. */
export function failureOf(span: StoredSpan): string | undefined {
  const service = serviceOf(span);
  const { error } = span;
  return service === undefined || error === undefined ? undefined : `${service} ${error}`;
}

/** The service that an attempt, a batch or a step asks; `undefined` for one of no service. */
export function serviceOf({ attributes }: StoredSpan): string | undefined {
  const service = attributes['service.peer.name'];
  return service === undefined ? serviceIn(attributes['plait.step.operation']) : String(service);
}

/** `payments.paymentOf` → `payments` */
function serviceIn(operation: unknown): string | undefined {
  return typeof operation === 'string' ? /^(.+)\.[^.]+$/.exec(operation)?.[1] : undefined;
}
