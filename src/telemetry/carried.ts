/** The inside of a `Trace`, which only telemetry makes and opens. */
import type { Trace } from '../trace.ts';

/** What continues a trace in a service. */
export interface Carried {
  /** `traceparent` and `tracestate` (W3C Trace Context). */
  readonly headers: Readonly<Record<string, string>>;
}

export function toTrace(carried: Carried): Trace {
  return carried as unknown as Trace; // opaque to everybody else
}

/** What `toTrace` was given; every observer of one gateway gives it the same type. */
export function carriedBy<T extends Carried>(trace: unknown): T | undefined {
  return trace as T | undefined; // only `toTrace` makes one
}
