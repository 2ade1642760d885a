/** Stores of the counts of rate limits: in this process, or in Redis for all gateways. */
import type { RateLimit } from '../../dsl/rate-limit.ts';
import type { RateLimitCount } from '../../http/admission.ts';

/** A rate limit, and the name that its counts are stored by: the same in all gateways. */
export interface Rule extends RateLimit {
  readonly id: string;
  /** Names it in headers. */
  readonly name: RateLimitCount['name'];
}

/** Whose requests are counted together: a principal, or an address. */
export interface Subject {
  readonly kind: 'principal' | 'address';
  readonly id: string;
}

/** A count with the decision: a request that is not admitted takes nothing of the limit. */
export interface Taken extends RateLimitCount {
  readonly isAdmitted: boolean;
}

/** Takes `cost` of a rule's limit for a subject. */
export type Take = (subject: Subject, cost: number) => Taken | Promise<Taken>;

export interface LimitStore {
  limiterFor(rule: Rule): Take;
  close(): Promise<void>;
}
