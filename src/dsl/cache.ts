/**
 * Caching options: how long responses of an operation, and the response of a composition, are kept.
 */
import { CompositionError } from '../errors.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import { isSafe } from './route.ts';
import type { Method } from './route.ts';
import { shownValue } from '../shown-value.ts';

/** How long responses of an operation are kept. Times in milliseconds. */
export interface OperationCache {
  /** How long a response is fresh. */
  readonly ttlMs: number;
  /** How long after `ttlMs` it is served stale while one call refreshes it. Default 0. */
  readonly staleWhileRevalidateMs?: number;
  /** How long after `ttlMs` it is served stale if the refresh fails. Default 0. */
  readonly staleIfErrorMs?: number;
  /** Negative caching: how long a 404, a 410 or a missing item is kept. Default 0: not at all. */
  readonly negativeTtlMs?: number;
  /** Tags by which responses can be invalidated before they expire. */
  readonly tags?: readonly string[];
  /**
   * Keeps responses for `ttlMs` even if their max-age is shorter; `no-store` is always respected.
   */
  readonly ignoreMaxAge?: boolean;
}

/** The `Cache-Control` of a composition's response (RFC 9111). Times in seconds. */
export interface ResponseCache {
  readonly maxAge: number;
  /** The same for shared caches, where it differs. */
  readonly sMaxAge?: number;
  /** How long caches may serve it stale while they refresh it (RFC 5861). */
  readonly staleWhileRevalidate?: number;
  /** Default `'public'`; always `'private'` if the response may depend on who the client is. */
  readonly visibility?: 'public' | 'private';
}

/** The grammar of a tag. */
export const tagPattern = /^[\w.:-]{1,64}$/;

/** @throws CompositionError that names the option that cannot be used. */
export function checkedOperationCache(
  cache: OperationCache | undefined,
  place: string,
): Required<OperationCache> | undefined {
  if (cache === undefined) return undefined;
  refuseUnknownKnobs(cache, operationKnobs, place, 'cache');
  const time = (knob: keyof OperationCache & `${string}Ms`, least: number): number =>
    positive(cache[knob] ?? 0, `cache.${knob}`, place, { least });
  const tags = cache.tags ?? [];
  const wrong = tags.find((tag) => !tagPattern.test(tag));
  if (wrong !== undefined) {
    throw new CompositionError(
      place,
      `cache.tags has ${shownValue(wrong)}, which cannot be used. Use up to 64 letters, ` +
        'digits and . : _ -, as in "orders".',
    );
  }
  return Object.freeze({
    ttlMs: time('ttlMs', 1),
    staleWhileRevalidateMs: time('staleWhileRevalidateMs', 0),
    staleIfErrorMs: time('staleIfErrorMs', 0),
    negativeTtlMs: time('negativeTtlMs', 0),
    tags: [...new Set(tags)],
    ignoreMaxAge: cache.ignoreMaxAge ?? false,
  });
}

/** @throws CompositionError that names the option that cannot be used. */
export function checkResponseCache(
  cache: ResponseCache | undefined,
  method: Method,
  place: string,
): void {
  if (cache === undefined) return;
  if (!isSafe(method)) {
    throw new CompositionError(
      place,
      `responses to a ${method} are not cached. Remove cache, or use GET.`,
    );
  }
  refuseUnknownKnobs(cache, responseKnobs, place, 'cache');
  for (const knob of ['maxAge', 'sMaxAge', 'staleWhileRevalidate'] as const) {
    positive(cache[knob] ?? 0, `cache.${knob}`, place, { least: 0 });
  }
  if (cache.maxAge === undefined) {
    throw new CompositionError(
      place,
      'cache needs maxAge, the number of seconds for which a response is fresh.',
    );
  }
  if (cache.visibility !== undefined && !['public', 'private'].includes(cache.visibility)) {
    throw new CompositionError(
      place,
      `cache.visibility is ${shownValue(cache.visibility)}. Use "public" or "private".`,
    );
  }
  if (cache.visibility === 'private' && cache.sMaxAge !== undefined) {
    throw new CompositionError(
      place,
      'cache.sMaxAge is for shared caches, which never store a "private" response. Remove one ' +
        'of them.',
    );
  }
}

const operationKnobs = [
  'ttlMs',
  'staleWhileRevalidateMs',
  'staleIfErrorMs',
  'negativeTtlMs',
  'tags',
  'ignoreMaxAge',
] satisfies (keyof OperationCache)[];

const responseKnobs = [
  'maxAge',
  'sMaxAge',
  'staleWhileRevalidate',
  'visibility',
] satisfies (keyof ResponseCache)[];
