/** The seam where a request that has found its composition may be refused: by load, limits or identity. */
import type { Plan } from '../plan/plan.ts';

/** What a decision may go by. */
export interface RequestFacts {
  /** The address of the other side of the connection. */
  readonly peer: string;
  /** A header of the request, by its lower-case name. */
  header(name: string): string | undefined;
}

/** A decision not to serve a request. */
export interface Refusal {
  readonly kind: 'overload';
  /** When to ask again. */
  readonly retryAfterSeconds: number;
}

/** Decides about a request before any part of it is read; `undefined` admits it. */
export type Admission = (
  request: RequestFacts,
  plan: Plan,
) => Refusal | undefined | Promise<Refusal | undefined>;

/** Refuses nothing. */
export const admitAll: Admission = () => undefined;
