/** Makes responses with the status and headers that the composition gives by `answer`. */
import type { Answered, AnsweredBeside } from '../engine/execution.ts';
import type { Plan, PlanAnswer } from '../plan/plan.ts';
import { givenBy } from './answer.ts';
import { cacheControlFor, noStore } from './cache-control.ts';
import { degradedHeader } from './degraded.ts';
import type { Representation } from './representation.ts';
import { etagOf, isNamed, opaqueTag } from './etag.ts';
import { sizedResponse } from './sized-response.ts';

/** The facts about a request that its response depends on. */
export interface ResponseOptions {
  readonly requestId: string;
  readonly ifNoneMatch: string | undefined;
  /** Since the request arrived, in milliseconds. */
  readonly elapsedMs: number;
}

export type Respond = (outcome: Answered, options: ResponseOptions) => Response;

/** Statuses that caches may keep and reuse by a lifetime (RFC 9110, 15.1). */
const cacheable: ReadonlySet<number> = new Set([200, 203, 301, 308, 404, 410]);

export function answerResponder(
  plan: Plan,
  answer: PlanAnswer,
  { describe, contentOf }: Representation,
): Respond {
  const cacheControl = plan.cache ? cacheControlFor(plan.cache) : () => noStore;
  const vary = plan.cache && plan.vary.length > 0 ? { vary: plan.vary.join(', ') } : {};
  const isRead = plan.route.method === 'GET';
  return function respondAsGiven(outcome, { requestId, ifNoneMatch, elapsedMs }) {
    const { degraded, freshness, beside = nothing } = outcome;
    const { status, headers: given, cookies } = givenBy(answer, beside);
    const isStorable = degraded.length === 0 && cookies.length === 0 && cacheable.has(status);
    const headers: Record<string, string> = {
      ...describe(outcome),
      ...given,
      'cache-control': isStorable ? cacheControl(freshness, elapsedMs) : noStore,
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
      ...vary,
    };
    if (degraded.length > 0) headers['plait-degraded'] = degradedHeader(outcome, status === 204);
    if (status === 204) return withCookies(emptyResponse(status, headers), cookies);
    const body = contentOf(outcome);
    tag(headers, { body, status, isWhole: degraded.length === 0 });
    const isKnown = isRead && status === 200 && isNamed(opaqueTag(headers['etag']), ifNoneMatch);
    const response = isKnown ? emptyResponse(304, headers) : sizedResponse(body, status, headers);
    return withCookies(response, cookies);
  };
}

const nothing: AnsweredBeside = { status: 200, headers: [] };

interface Tagged {
  readonly body: string | Uint8Array;
  readonly status: number;
  /** Whether no part is missing: an entity tag stands for the whole. */
  readonly isWhole: boolean;
}

/** Adds an entity tag to a 200 that may be stored, and takes a given one from a degraded response. */
function tag(headers: Record<string, string>, { body, status, isWhole }: Tagged): void {
  if (!isWhole) delete headers['etag'];
  else if (status === 200 && headers['cache-control'] !== noStore) headers['etag'] ??= etagOf(body);
}

function emptyResponse(status: number, headers: Readonly<Record<string, string>>): Response {
  const { 'content-type': _, ...others } = headers;
  return new Response(null, { status, headers: others });
}

function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append('set-cookie', cookie);
  return response;
}
