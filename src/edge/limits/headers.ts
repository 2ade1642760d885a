/** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10). */
import type { AddedHeaders } from '../../http/added-headers.ts';
import type { RateLimitCount } from '../../http/admission.ts';

/** Both; none where no limit has counted the request. */
export function rateLimitHeaders(counts: readonly RateLimitCount[]): AddedHeaders {
  if (counts.length === 0) return {};
  return {
    'ratelimit-policy': counts.map(policyOf).join(', '),
    ratelimit: counts.map(leftOf).join(', '),
  };
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
