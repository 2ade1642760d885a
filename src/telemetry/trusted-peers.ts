/**
 * Trusted peers: those whose `traceparent` may decide that a request is recorded. `scope` marks
 * their requests, the `sampler` heeds the mark; without the SDK, `telemetry` hands the decision on.
 */
import type { Context } from '@opentelemetry/api';

// `createContextKey` makes only a symbol, and importing it would load the API without telemetry.
const trusted = Symbol('the sampling flag may be followed');

/** A context whose remote parent may decide whether the request is recorded. */
export function trustParent(context: Context): Context {
  return context.setValue(trusted, true);
}

export function isParentTrusted(context: Context): boolean {
  return context.getValue(trusted) === true;
}
