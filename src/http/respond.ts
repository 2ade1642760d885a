/** Makes the response to a request that was answered. */
import type { Plan } from '../plan/plan.ts';
import { cacheControlFor, noStore } from './cache-control.ts';
import { degradedHeader } from './degraded.ts';
import { etagOf, isNamed } from './etag.ts';
import { representationOf } from './representation.ts';
import type { Representation } from './representation.ts';
import { answerResponder } from './respond-as-given.ts';
import type { Respond } from './respond-as-given.ts';
import { sizedResponse } from './sized-response.ts';

export function responderFor(plan: Plan): Respond {
  const represent = representationOf(plan);
  return plan.answer === undefined
    ? plainResponder(plan, represent)
    : answerResponder(plan, plan.answer, represent);
}

function plainResponder(plan: Plan, { describe, contentOf }: Representation): Respond {
  const cacheControl = plan.cache ? cacheControlFor(plan.cache) : () => noStore;
  const vary = plan.cache && plan.vary.length > 0 ? { vary: plan.vary.join(', ') } : {};
  return function respondPlainly(outcome, { requestId, ifNoneMatch, elapsedMs }) {
    const { degraded, freshness } = outcome;
    const headers: Record<string, string> = {
      'cache-control': degraded.length > 0 ? noStore : cacheControl(freshness, elapsedMs),
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
      ...vary,
    };
    if (degraded.length > 0) headers['plait-degraded'] = degradedHeader(outcome);
    const body = contentOf(outcome);
    // A response that nobody may store, as a degraded one, needs no ETag.
    if (headers['cache-control'] !== noStore) {
      const etag = etagOf(body);
      headers['etag'] = etag;
      if (isNamed(etag, ifNoneMatch)) return new Response(null, { status: 304, headers });
    }
    Object.assign(headers, describe(outcome));
    return sizedResponse(body, 200, headers);
  };
}
