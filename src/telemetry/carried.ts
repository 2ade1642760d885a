/** The contents of an opaque `Trace`, which only telemetry makes and opens. */
import type { Trace } from '../trace.ts';
import type { AttemptWatch } from '../upstream/attempt.ts';

/** Headers that continue a trace in a service. */
export interface Carried {
  /** `traceparent` and `tracestate` (W3C Trace Context). */
  readonly headers: Readonly<Record<string, string>>;
}

/** Watches nothing, and adds nothing to an attempt. */
export const unwatched: AttemptWatch = Object.freeze({});

export function toTrace(carried: Carried): Trace {
  return carried as unknown as Trace; // opaque to everybody else
}

/** Opens a trace. All observers of one gateway put the same type into it. */
export function carriedBy<T extends Carried>(trace: Trace | undefined): T | undefined {
  return trace as unknown as T | undefined; // only `toTrace` makes one
}

/** The trace id in its `traceparent`. */
export function traceIdOf(trace: Trace): string | undefined {
  return carriedBy(trace)?.headers['traceparent']?.split('-')[1];
}
