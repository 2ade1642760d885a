/**
 * The admission seam, after routing: where load shedding, limits and identity may refuse a request.
 */
import type { Plan, PlanAuth } from '../plan/plan.ts';

/** The facts that a decision may use. */
export interface RequestFacts {
  /** The address of the connection's other side: a client, or a proxy in front of us. */
  readonly peer: string;
  /** A header of the request, by its lower-case name. */
  header(name: string): string | undefined;
  /** The client, as a hash that is the same for all its requests; absent: it is not known. */
  readonly principal?: string | undefined;
}

/** A request for which decisions may note what it has left. */
export interface CountedRequest extends RequestFacts {
  readonly rateLimits: RateLimitCount[];
}

/** A rate limit, and the part of it that a request has left. */
export interface RateLimitCount {
  /** Names the limit in headers. */
  readonly name: 'address' | 'principal' | 'route';
  readonly limit: number;
  readonly windowS: number;
  readonly remaining: number;
  /** The time until the window ends, in milliseconds. */
  readonly resetMs: number;
}

/** The client that asks. */
export interface Identity {
  /**
   * A hash that is the same for all requests of one principal, and of no other; for limits. It is
   * logged and traced as little as a claim.
   */
  readonly principal: string;
  /** The value of `identity` in compositions. */
  readonly value: { readonly claims: unknown };
}

/** The client is not known, or may not ask. */
export interface Denial {
  readonly denied: 'unauthenticated' | 'insufficient-scope';
  /** For the `WWW-Authenticate` header (RFC 9110, 11.6.1). */
  readonly challenges: string;
  /** Why, in fixed words for the operator: never a part of the credentials. */
  readonly why?: string;
}

/** Finds out who asks a plan. Throws an UnavailableError where that cannot be found out now. */
export type Identify = (request: RequestFacts) => Identity | Denial | Promise<Identity | Denial>;

/** Makes the `Identify` of a plan with `auth`. */
export type IdentifyFor = (auth: PlanAuth) => Identify;

/** The limits that refuse requests, by the names under which they are declared. */
export type LimitName =
  | 'rateLimits.perAddress'
  | 'rateLimits.perPrincipal'
  | 'rateLimit'
  | 'REQUESTS_PER_ADDRESS'
  | 'REQUESTS_IN_PROGRESS'
  | 'SHED_DELAY_MS';

/** A decision not to serve a request. */
export interface Refusal {
  readonly kind: 'overload' | 'in-progress' | 'rate-limit';
  /** For the operator. */
  readonly limit: LimitName;
  /** For the `Retry-After` header. */
  readonly retryAfterSeconds: number;
}

/** Whether a refusal counts as load shedding; one by a rate limit does not. */
export function isShed(refusal: Refusal | undefined): boolean {
  return refusal !== undefined && refusal.kind !== 'rate-limit';
}

/** Decides about a request before its inputs are parsed; `undefined` admits it. */
export type Admission = (
  request: CountedRequest,
  plan: Plan,
) => Refusal | undefined | Promise<Refusal | undefined>;

/** Asks one after the other, and ends with the first refusal. */
export function firstRefusal(admissions: readonly Admission[]): Admission {
  return admissions.reduce(
    (first, second) =>
      async function admitUnlessRefused(request, plan) {
        return (await first(request, plan)) ?? second(request, plan);
      },
  );
}
