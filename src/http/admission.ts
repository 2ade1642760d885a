/**
 * The admission seam, after routing: where load shedding, limits and identity may refuse a request.
 */
import type { Plan } from '../plan/plan.ts';

/** The facts that a decision may use. */
export interface RequestFacts {
  /** The address of the connection's other side: a client, or a proxy in front of us. */
  readonly peer: string;
  /** A header of the request, by its lower-case name. */
  header(name: string): string | undefined;
}

/** A decision not to serve a request. */
export interface Refusal {
  readonly kind: 'overload' | 'in-progress';
  /** For the `Retry-After` header. */
  readonly retryAfterSeconds: number;
}

/** Decides about a request before its inputs are parsed; `undefined` admits it. */
export type Admission = (
  request: RequestFacts,
  plan: Plan,
) => Refusal | undefined | Promise<Refusal | undefined>;
