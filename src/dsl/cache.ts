/** What may be kept, and for how long: of an operation's answers, and of a composition's response. */
import { CompositionError } from '../errors.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import { isSafe } from './route.ts';
import type { Method } from './route.ts';

/** How long answers of an operation are kept. Times in milliseconds. */
export interface OperationCache {
  /** How long an answer is fresh. */
  readonly ttlMs: number;
  /** How long after that it is still used while one call refreshes it. Default 0. */
  readonly staleWhileRevalidateMs?: number;
  /** How long after `ttlMs` it is used when a refresh fails. Default 0. */
  readonly staleIfErrorMs?: number;
  /** How long a 404, a 410 or a missing item is remembered. Default 0: not at all. */
  readonly negativeTtlMs?: number;
  /** Names by which answers are dropped before their time. */
  readonly tags?: readonly string[];
  /** Keep answers for `ttlMs` although their `Cache-Control` says less. Never those it forbids to store. */
  readonly ignoreMaxAge?: boolean;
}

/** The `Cache-Control` of a composition's response (RFC 9111). Times in seconds. */
export interface ResponseCache {
  readonly maxAge: number;
  /** For shared caches, where it differs. */
  readonly sMaxAge?: number;
  /** RFC 5861. */
  readonly staleWhileRevalidate?: number;
  /** Default `'public'`, unless a part of the response may differ by who asks: then always `'private'`. */
  readonly visibility?: 'public' | 'private';
}

/** What a tag may be. */
export const tagPattern = /^[\w.:-]{1,64}$/;

/** @throws CompositionError naming the knob that cannot be used. */
export function checkedOperationCache(
  cache: OperationCache | undefined,
  place: string,
): Required<OperationCache> | undefined {
  if (cache === undefined) return undefined;
  refuseUnknownKnobs(cache, operationKnobs, `${place}: cache`);
  const time = (knob: keyof OperationCache & `${string}Ms`, least: number): number =>
    positive(cache[knob] ?? 0, `cache.${knob}`, place, { least });
  const tags = cache.tags ?? [];
  const wrong = tags.find((tag) => !tagPattern.test(tag));
  if (wrong !== undefined) {
    throw new CompositionError(
      place,
      `cache.tags: ${JSON.stringify(wrong)} cannot be used. Use up to 64 letters, digits and . : _ -, as in "orders".`,
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

/** @throws CompositionError naming the knob that cannot be used. */
export function checkResponseCache(
  cache: ResponseCache | undefined,
  method: Method,
  place: string,
): void {
  if (cache === undefined) return;
  if (!isSafe(method)) {
    throw new CompositionError(
      place,
      `cache: responses to a ${method} are not cached. Remove it, or use GET.`,
    );
  }
  refuseUnknownKnobs(cache, responseKnobs, `${place}: cache`);
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
      `cache.visibility is "${cache.visibility}". Use "public" or "private".`,
    );
  }
  if (cache.visibility === 'private' && cache.sMaxAge !== undefined) {
    throw new CompositionError(
      place,
      'cache.sMaxAge is for shared caches, which never store a "private" response. Remove one of them.',
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
