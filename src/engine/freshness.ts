/**
 * How long a response may be kept as far as its parts say (RFC 9111): the narrowest of all replies it
 * is made of. Private caches and shared ones are told different times, so there are two.
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

/** Times in seconds; `Infinity`: nobody has said anything. */
export interface Freshness {
  /** No part is `no-store`. */
  readonly storable: boolean;
  /** No part is `private`. */
  readonly shareable: boolean;
  /** A part may not be used past its time, or not again without asking. */
  readonly mustRevalidate: boolean;
  readonly privateSeconds: number;
  readonly sharedSeconds: number;
}

/** Of a response whose parts have said nothing. */
export const unrestricted: Freshness = Object.freeze({
  storable: true,
  shareable: true,
  mustRevalidate: false,
  privateSeconds: Infinity,
  sharedSeconds: Infinity,
});

/** What remains of `freshness` with one more part; the same object when that part says nothing. */
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
  // What our own cache gave past its time is used once more, by us; nobody else is to keep it.
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

/** `max-age`, or what `Expires` says in its place (RFC 9111, 4.2.1). */
function lifetimeOf({ maxAgeSeconds }: CacheControl, headers: Reply['headers']): number {
  return maxAgeSeconds ?? Math.floor(expirySeconds(headers) ?? Infinity);
}
