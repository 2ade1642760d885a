/** Makes the response to a request that was answered. */
import type { Answered } from '../engine/execution.ts';
import { stringifyJson } from '../json.ts';
import type { Plan } from '../plan/plan.ts';
import { cacheControlFor, noStore } from './cache-control.ts';
import { degradedHeader, problemsOf } from './degraded.ts';
import { etagOf, isNamed } from './etag.ts';
import { textResponse } from './text-response.ts';

/** The facts about a request that its response depends on. */
export interface ResponseOptions {
  readonly requestId: string;
  readonly ifNoneMatch: string | undefined;
  /** Since the request arrived, in milliseconds. */
  readonly elapsedMs: number;
}

export function responderFor(
  plan: Plan,
): (outcome: Answered, options: ResponseOptions) => Response {
  const cacheControl = plan.cache ? cacheControlFor(plan.cache) : () => noStore;
  const vary = plan.cache && plan.vary.length > 0 ? { vary: plan.vary.join(', ') } : {};
  return (outcome, { requestId, ifNoneMatch, elapsedMs }) => {
    const { degraded, freshness } = outcome;
    const headers: Record<string, string> = {
      'cache-control': degraded.length > 0 ? noStore : cacheControl(freshness, elapsedMs),
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
      ...vary,
    };
    if (degraded.length > 0) headers['plait-degraded'] = degradedHeader(degraded);
    const body = stringifyJson(bodyOf(outcome) ?? null);
    // A response that nobody may store, as a degraded one, needs no ETag.
    if (headers['cache-control'] !== noStore) {
      const etag = etagOf(body);
      headers['etag'] = etag;
      if (isNamed(etag, ifNoneMatch)) return new Response(null, { status: 304, headers });
    }
    headers['content-type'] = 'application/json';
    return textResponse(body, 200, headers);
  };
}

function bodyOf({ value, degraded }: Answered): unknown {
  return degraded.length > 0 && isObject(value)
    ? { ...value, $problems: problemsOf(degraded) }
    : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
