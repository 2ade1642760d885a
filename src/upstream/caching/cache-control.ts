/** Reads `Cache-Control` (RFC 9111, 5.2) and related headers; in doubt, the stricter meaning. */
import { parseHttpDate } from '../../http-date.ts';
import type { Reply } from '../call.ts';

/** The directives of a response. Times in seconds. */
export interface CacheControl {
  readonly noStore: boolean;
  readonly private: boolean;
  readonly noCache: boolean;
  /** `must-revalidate` or `proxy-revalidate`: it must never be served stale. */
  readonly mustRevalidate: boolean;
  readonly maxAgeSeconds?: number;
  readonly sMaxAgeSeconds?: number;
}

/** The largest delta-seconds that a cache has to represent (RFC 9111, 1.2.2). */
const longestSeconds = 2 ** 31;

/** Of a response without the header, as most are. */
const nothingSaid: CacheControl = Object.freeze({
  noStore: false,
  private: false,
  noCache: false,
  mustRevalidate: false,
});

/** `name`, `name=token`, `name="quoted, with commas"`; anything else between commas is skipped. */
const directive = /([^\s,;="]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,;"]*)))?/g;

/**
 * Reads one or several values of the header. Names may be in any case, and values may be quoted.
 * `private="a"` and `no-cache="a"` apply to the whole response. An age that is not a whole number
 * counts as 0, and the shorter of two ages applies.
 */
export function parseCacheControl(value: string | readonly string[] | undefined): CacheControl {
  if (value === undefined) return nothingSaid;
  const text = typeof value === 'string' ? value : value.join(',');
  const found = Map.groupBy(text.matchAll(directive), ([, name = '']) => name.toLowerCase());
  const maxAgeSeconds = shortest(found.get('max-age'));
  const sMaxAgeSeconds = shortest(found.get('s-maxage'));
  return {
    noStore: found.has('no-store'),
    private: found.has('private'),
    noCache: found.has('no-cache'),
    mustRevalidate: found.has('must-revalidate') || found.has('proxy-revalidate'),
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    ...(sMaxAgeSeconds !== undefined && { sMaxAgeSeconds }),
  };
}

function shortest(ages: readonly RegExpExecArray[] | undefined): number | undefined {
  if (ages === undefined) return undefined;
  return Math.min(...ages.map(([, , quoted, token]) => toSeconds(quoted ?? token ?? '')));
}

/** Delta-seconds, the values of `max-age` and `Age`; anything else counts as 0. */
function toSeconds(text: string): number {
  const trimmed = text.trim();
  return /^\d+$/.test(trimmed) ? Math.min(Number(trimmed), longestSeconds) : 0;
}

/** The `Age` header in seconds; 0 if it is absent or invalid. */
export function ageSecondsOf(value: string | readonly string[] | undefined): number {
  const [first] = typeof value === 'string' ? [value] : (value ?? []);
  return toSeconds(first ?? '');
}

/** Whether a response is for one client only: it is `private`, or sets a cookie. */
export function isForOneClient(headers: Reply['headers']): boolean {
  return headers['set-cookie'] !== undefined || parseCacheControl(headers['cache-control']).private;
}

/** Whether `Vary: *` says that the response fits no other request (RFC 9110, 12.5.5). */
export function variesByAll(headers: Reply['headers']): boolean {
  return String(headers['vary'] ?? '').includes('*');
}

/** Seconds from `Date` to `Expires`; an invalid date means already expired (RFC 9111, 5.3). */
export function expirySeconds({ expires, date }: Reply['headers']): number | undefined {
  if (expires === undefined) return undefined;
  // Both are the service's own, so that only their difference counts.
  const sentAt = parseHttpDate(String(date), Date.now());
  const expiresAt = sentAt === undefined ? undefined : parseHttpDate(String(expires), sentAt);
  return sentAt === undefined || expiresAt === undefined ? 0 : (expiresAt - sentAt) / 1000;
}

/** For how many seconds more a response is fresh; `undefined` if its headers do not say. */
export function freshSeconds(
  headers: Reply['headers'],
  { sMaxAgeSeconds, maxAgeSeconds }: CacheControl = parseCacheControl(headers['cache-control']),
): number | undefined {
  const said = sMaxAgeSeconds ?? maxAgeSeconds ?? expirySeconds(headers);
  return said === undefined ? undefined : Math.max(0, said - ageSecondsOf(headers['age']));
}

/** All that the headers of a failure say about caches, as one `Cache-Control`. */
export function cacheControlOfFailure(headers: Reply['headers']): string | undefined {
  if (isForOneClient(headers) || variesByAll(headers)) return 'no-store';
  const said = [headers['cache-control'] ?? []].flat();
  const isDated = headers['expires'] !== undefined || headers['age'] !== undefined;
  const seconds = isDated ? freshSeconds(headers) : undefined;
  // The shorter of two ages applies.
  if (seconds !== undefined) said.push(`s-maxage=${Math.floor(seconds)}`);
  return said.length === 0 ? undefined : said.join(', ');
}
