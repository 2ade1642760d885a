/** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10). */
import type { ServerResponse } from 'node:http';
import type { RateLimitCount } from '../../http/admission.ts';

/**
 * Adds both to an answer, unless no limit has counted it. Adding them to Node's answer, where there
 * is one, is cheaper than to a `Response`.
 */
export function addRateLimitHeaders(
  answer: Pick<ServerResponse, 'setHeader'> | Pick<Response, 'headers'>,
  counts: readonly RateLimitCount[],
): void {
  if (counts.length === 0) return;
  const fields = {
    'RateLimit-Policy': counts.map(policyOf).join(', '),
    RateLimit: counts.map(leftOf).join(', '),
  };
  for (const [name, value] of Object.entries(fields)) {
    if ('headers' in answer) answer.headers.set(name, value);
    else answer.setHeader(name, value);
  }
}

function policyOf({ name, limit, windowS }: RateLimitCount): string {
  return `"${name}";q=${limit};w=${windowS}`;
}

function leftOf(count: RateLimitCount): string {
  return `"${count.name}";r=${count.remaining};t=${secondsLeft(count)}`;
}

/** Rounded up: at that moment the window has ended. */
export function secondsLeft({ resetMs }: RateLimitCount): number {
  return Math.max(1, Math.ceil(resetMs / 1_000));
}
