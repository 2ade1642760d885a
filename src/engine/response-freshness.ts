/**
 * The freshness of a response (RFC 9111): the most restrictive of all replies that it contains.
 * There are two lifetimes, since private and shared caches may have different ones.
 */
import type { Reply } from '../upstream/call.ts';
import {
  ageSecondsOf,
  expirySeconds,
  isForOneClient,
  parseCacheControl,
  variesByAll,
} from '../upstream/caching/cache-control.ts';
import type { CacheControl } from '../upstream/caching/cache-control.ts';

/** Times in seconds; `Infinity` if no part has limited them. */
export interface Freshness {
  /** No part is `no-store`. */
  readonly storable: boolean;
  /** No part is `private`. */
  readonly shareable: boolean;
  /** A part must not be served stale, or only after revalidation. */
  readonly mustRevalidate: boolean;
  readonly privateSeconds: number;
  readonly sharedSeconds: number;
}

/** The freshness of a response of which no part has said anything. */
export const unrestricted: Freshness = Object.freeze({
  storable: true,
  shareable: true,
  mustRevalidate: false,
  privateSeconds: Infinity,
  sharedSeconds: Infinity,
});

/** `freshness` with one more part; the same object if that part has said nothing. */
export function narrowed(freshness: Freshness, reply: Pick<Reply, 'headers' | 'cache'>): Freshness {
  const part = freshnessOf(reply);
  if (part === undefined) return freshness;
  return {
    storable: freshness.storable && part.storable,
    shareable: freshness.shareable && part.shareable,
    mustRevalidate: freshness.mustRevalidate || part.mustRevalidate,
    privateSeconds: Math.min(freshness.privateSeconds, part.privateSeconds),
    sharedSeconds: Math.min(freshness.sharedSeconds, part.sharedSeconds),
  };
}

function freshnessOf({ headers, cache }: Pick<Reply, 'headers' | 'cache'>): Freshness | undefined {
  const { 'cache-control': said, expires } = headers;
  // An answer that our own cache has served stale must not be cached any further.
  const stale = cache === 'stale' || variesByAll(headers);
  const isOwn = isForOneClient(headers);
  if (said === undefined && expires === undefined && !stale && !isOwn) return undefined;
  const control = parseCacheControl(said);
  const isSpent = control.noCache || stale;
  const remaining = (seconds: number): number =>
    isSpent ? 0 : Math.max(0, seconds - ageSecondsOf(headers['age']));
  const lifetime = lifetimeOf(control, headers);
  return {
    storable: !control.noStore,
    shareable: !isOwn,
    mustRevalidate: control.mustRevalidate || isSpent,
    privateSeconds: remaining(lifetime),
    sharedSeconds: remaining(control.sMaxAgeSeconds ?? lifetime),
  };
}

/** `max-age`, or else the lifetime that `Expires` gives (RFC 9111, 4.2.1). */
function lifetimeOf({ maxAgeSeconds }: CacheControl, headers: Reply['headers']): number {
  return maxAgeSeconds ?? Math.floor(expirySeconds(headers) ?? Infinity);
}
