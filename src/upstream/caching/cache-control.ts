/** `Cache-Control` (RFC 9111, 5.2) as typed values; in doubt it is read as forbidding more. */
import type { Reply } from '../call.ts';

/** What a response says about keeping it. Times in seconds. */
export interface CacheControl {
  readonly noStore: boolean;
  readonly private: boolean;
  readonly noCache: boolean;
  /** `must-revalidate` or `proxy-revalidate`: never to be used after its time. */
  readonly mustRevalidate: boolean;
  readonly maxAgeSeconds?: number;
  readonly sMaxAgeSeconds?: number;
}

/** RFC 9111, 1.2.2: whoever cannot count further says this. */
const longestSeconds = 2 ** 31;

/** `name`, `name=token`, `name="quoted, with commas"`; whatever else stands between two commas is skipped. */
const directive = /([^\s,;="]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,;"]*)))?/g;

/**
 * Reads one or several header values. Names may be in any case, values quoted. `private="a"` and
 * `no-cache="a"` count as said of the whole response; an age that is not a whole number counts as 0, and
 * of two the shorter one holds.
 */
export function parseCacheControl(value: string | readonly string[] | undefined): CacheControl {
  const text = typeof value === 'string' ? value : (value ?? []).join(',');
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

/** Whole seconds, as `max-age` and `Age` have them; anything else is 0. */
function toSeconds(text: string): number {
  const trimmed = text.trim();
  return /^\d+$/.test(trimmed) ? Math.min(Number(trimmed), longestSeconds) : 0;
}

/** `Age` in seconds; what is none counts as 0. */
export function ageSecondsOf(value: string | readonly string[] | undefined): number {
  const [first] = typeof value === 'string' ? [value] : (value ?? []);
  return toSeconds(first ?? '');
}

/** Meant for whoever asked: `private`, or with a cookie that is theirs. */
export function isForOneClient(headers: Reply['headers']): boolean {
  return headers['set-cookie'] !== undefined || parseCacheControl(headers['cache-control']).private;
}

/** `Vary: *`: no two requests are alike to it (RFC 9110, 12.5.5). */
export function variesByAll(headers: Reply['headers']): boolean {
  return String(headers['vary'] ?? '').includes('*');
}

/** `Expires`, as a number of seconds after `Date`; what is no date lies in the past (RFC 9111, 5.3). */
export function expirySeconds({ expires, date }: Reply['headers']): number | undefined {
  if (expires === undefined) return undefined;
  const seconds = (Date.parse(String(expires)) - Date.parse(String(date))) / 1000;
  return Number.isNaN(seconds) ? 0 : seconds;
}
