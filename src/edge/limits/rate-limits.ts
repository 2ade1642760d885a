/** Rate limits: per address before routing, per principal and per route after identity. */
import { addHeaders } from '../../http/added-headers.ts';
import { problemResponse, refusalProblem } from '../../http/error-response.ts';
import type {
  Admission,
  CountedRequest,
  LimitName,
  RateLimitCount,
  Refusal,
} from '../../http/admission.ts';
import { isHealthCheck } from '../../http/health.ts';
import type { Layer } from '../../http/request-record.ts';
import type { CountedBy, RateLimit } from '../../dsl/rate-limit.ts';
import { isWithin } from '../../network.ts';
import type { Plan } from '../../plan/plan.ts';
import { clientGroup, groupOfRequest } from '../client-address.ts';
import type { IsTrusted } from '../client-address.ts';
import type { EdgeOptions } from '../layers.ts';
import { rateLimitHeaders, secondsLeft } from './headers.ts';
import type { LimitStore, Rule, Subject, Take, Taken } from './limit-store.ts';

export interface RateLimitOptions {
  /** Their own limits hold beside those of all requests, which `edge.definition` has. */
  readonly plans: readonly Plan[];
  readonly edge: EdgeOptions | undefined;
  readonly store: LimitStore;
}

export interface RateLimiting {
  readonly layers: readonly Layer[];
  readonly admissions: readonly Admission[];
}

/** All that limits requests; nothing, and no cost, where no limit is set. */
export function rateLimiting({ plans, edge = {}, store }: RateLimitOptions): RateLimiting {
  const { definition, trustedPeers = [] } = edge;
  const { perAddress, perPrincipal } = definition?.rateLimits ?? {};
  const isTrusted = isWithin(trustedPeers);
  const takePerAddress = limiterFor(store, 'address', perAddress);
  const takePerPrincipal = limiterFor(store, 'principal', perPrincipal);
  const takePerRoute = new Map(plans.flatMap((plan) => routeLimiterFor(store, plan)));
  const hasAdmission = takePerPrincipal !== undefined || takePerRoute.size > 0;
  const hasLayer = takePerAddress !== undefined || hasAdmission;
  return {
    layers: hasLayer ? [limitPerAddress(takePerAddress, isTrusted)] : [],
    admissions: hasAdmission ? [limitAdmission({ takePerPrincipal, takePerRoute, isTrusted })] : [],
  };
}

/**
 * The layer around every request, for the limit per address, where there is one, and the headers of
 * all limits: 429 for what exceeds the former. Health checks do not count.
 */
function limitPerAddress(take: Take | undefined, isTrusted: IsTrusted): Layer {
  return async function limitRate(c, next) {
    if (isHealthCheck(c)) return next();
    const record = c.get('record');
    const { rateLimits } = record;
    const address = take && groupOfRequest(c, isTrusted);
    const taken = take && address && (await take({ kind: 'address', id: address }, 1));
    record.refusal = taken ? judged(taken, rateLimits) : undefined;
    if (record.refusal !== undefined) c.res = problemResponse(refusalProblem(record.refusal), c);
    else await next();
    addHeaders(c, rateLimitHeaders(rateLimits));
    return undefined;
  };
}

interface AdmissionLimits {
  readonly takePerPrincipal: Take | undefined;
  readonly takePerRoute: ReadonlyMap<Plan, Take>;
  readonly isTrusted: IsTrusted;
}

/** Limits per principal and per route, in this order; the first one that is used up refuses. */
function limitAdmission({ takePerPrincipal, takePerRoute, isTrusted }: AdmissionLimits): Admission {
  async function count(
    take: Take | undefined,
    request: CountedRequest,
    { by, cost }: { readonly by: CountedBy; readonly cost: number },
  ): Promise<Refusal | undefined> {
    const subject = take && subjectOf(request, by, isTrusted);
    if (take === undefined || subject === undefined) return undefined;
    return judged(await take(subject, cost), request.rateLimits);
  }

  return async function admitWithinLimits(request, plan) {
    const { rateLimit } = plan;
    return (
      (await count(takePerPrincipal, request, { by: 'principal', cost: 1 })) ??
      (rateLimit && count(takePerRoute.get(plan), request, rateLimit))
    );
  };
}

function limiterFor(
  store: LimitStore,
  name: Rule['name'],
  limit: RateLimit | undefined,
): Take | undefined {
  return limit && store.limiterFor({ ...limit, name, id: name });
}

/** An entry for a plan with a limit. */
function routeLimiterFor(store: LimitStore, plan: Plan): [Plan, Take][] {
  if (plan.rateLimit === undefined) return [];
  const { limit, windowS } = plan.rateLimit;
  return [[plan, store.limiterFor({ limit, windowS, name: 'route', id: `route ${plan.name}` })]];
}

/** Notes the count, and refuses what is not admitted. */
function judged(taken: Taken, counts: RateLimitCount[]): Refusal | undefined {
  counts.push(taken);
  if (taken.isAdmitted) return undefined;
  const limit = declaredAs[taken.name];
  return { kind: 'rate-limit', limit, retryAfterSeconds: secondsLeft(taken) };
}

const declaredAs = {
  address: 'rateLimits.perAddress',
  principal: 'rateLimits.perPrincipal',
  route: 'rateLimit',
} as const satisfies Record<RateLimitCount['name'], LimitName>;

/** A principal where one is known; `undefined` for the requests of a proxy of ours itself. */
function subjectOf(
  { peer, header, principal }: CountedRequest,
  by: CountedBy,
  isTrusted: IsTrusted,
): Subject | undefined {
  if (by === 'principal' && principal !== undefined) return { kind: 'principal', id: principal };
  const address = clientGroup(peer, header('x-forwarded-for'), isTrusted);
  return address === undefined ? undefined : { kind: 'address', id: address };
}
