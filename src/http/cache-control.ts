/**
 * `Cache-Control` of responses (RFC 9111, RFC 5861): as declared, but never wider than their parts.
 */
import { unrestricted } from '../engine/response-freshness.ts';
import type { Freshness } from '../engine/response-freshness.ts';
import type { PlanCache } from '../plan/plan.ts';

/** No cache may store the response. */
export const noStore = 'no-store';

/** Computes the header of a composition's responses from the freshness of their parts. */
export function cacheControlFor(
  cache: PlanCache,
): (parts: Freshness, elapsedMs?: number) => string {
  const declared = cacheControlOf(cache, unrestricted);
  return (parts, elapsedMs = 0) =>
    parts === unrestricted ? declared : cacheControlOf(cache, aged(parts, elapsedMs));
}

/**
 * Subtracts the time since the request arrived from the lifetimes of its parts (RFC 9111, 4.2.3).
 */
function aged(parts: Freshness, elapsedMs: number): Freshness {
  const elapsed = Math.floor(elapsedMs / 1_000);
  const left = (seconds: number): number => Math.max(0, seconds - elapsed);
  const { privateSeconds, sharedSeconds } = parts;
  return { ...parts, privateSeconds: left(privateSeconds), sharedSeconds: left(sharedSeconds) };
}

function cacheControlOf(cache: PlanCache, parts: Freshness): string {
  if (!parts.storable) return noStore;
  const isPrivate = cache.visibility === 'private' || !parts.shareable;
  const maxAge = Math.min(cache.maxAge, parts.privateSeconds);
  const sharedAge = Math.min(cache.sMaxAge ?? cache.maxAge, parts.sharedSeconds);
  // A part's lifetime bounds fresh and stale use together.
  const staleSeconds = Math.min(
    cache.staleWhileRevalidate,
    parts.privateSeconds - maxAge,
    isPrivate ? Infinity : parts.sharedSeconds - sharedAge,
  );
  return [
    isPrivate ? 'private' : 'public',
    `max-age=${maxAge}`,
    ...(isPrivate || sharedAge === maxAge ? [] : [`s-maxage=${sharedAge}`]),
    ...(staleSeconds > 0 && !parts.mustRevalidate
      ? [`stale-while-revalidate=${staleSeconds}`]
      : []),
    ...(parts.mustRevalidate ? ['must-revalidate'] : []),
  ].join(', ');
}
