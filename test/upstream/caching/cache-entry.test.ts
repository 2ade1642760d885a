/** Entries that an operation could not have stored are not used, whoever has put them there. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { Entry } from '../../../src/upstream/caching/cache-entry.ts';
import { isOwn, replay } from '../../../src/upstream/caching/cache-entry.ts';
import type { Reply } from '../../../src/upstream/call.ts';
import { callOf, nowhere } from '../../support/upstream-calls.ts';

const cache = {
  ttlMs: 1_000,
  staleWhileRevalidateMs: 200,
  staleIfErrorMs: 300,
  negativeTtlMs: 50,
};
const texts = { route: 'GET /orders', response: z.string(), cache } as const;
const getOrder = operation(nowhere, { route: 'GET /orders', response: z.unknown(), cache });
const byId = {
  route: 'GET /orders',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  cache,
} as const;
const orderOf = lookup(nowhere, byId);

const reply = { kind: 'reply', status: 200, headers: {}, raw: 'a' } as const;
const none = { kind: 'status', status: 404 } as const;
const negative = { freshForMs: 50, refreshForMs: 0, fallbackForMs: 0 };

const fresh = { refreshForMs: 0, fallbackForMs: 0 };

/** The answer of a service with these headers. */
function said(cacheControl: string, headers: Reply['headers'] = {}): Pick<Entry, 'outcome'> {
  return { outcome: { ...reply, headers: { ...headers, 'cache-control': cacheControl } } };
}

function entryOf(own: Partial<Entry> = {}): Entry {
  return {
    storedAt: 0,
    freshForMs: 1_000,
    refreshForMs: 200,
    fallbackForMs: 300,
    outcome: reply,
    ...own,
  };
}

/** The stored answer of as many lists in each other. */
function replayed(levels: number): Reply {
  const raw: unknown = JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  return replay(callOf(getOrder), entryOf({ outcome: { ...reply, raw } }), 0);
}

describe('an entry', () => {
  it.each<[string, Entry]>([
    ['lives as long as the operation allows', entryOf()],
    ['lives shorter', entryOf({ freshForMs: 0, refreshForMs: 0 })],
    ['remembers a failure', entryOf({ outcome: none, ...negative })],
    ['lives as long as its headers allow', entryOf({ freshForMs: 0, ...said('max-age=0') })],
    ['is never served stale', entryOf({ ...fresh, ...said('must-revalidate') })],
  ])('is used if it %s', (_, entry) => {
    expect(isOwn(callOf(getOrder), entry)).toBe(true);
  });

  it.each<[string, Entry]>([
    ['is fresh for longer than ttlMs', entryOf({ freshForMs: 1_000_000_000 })],
    ['is stale for longer', entryOf({ refreshForMs: 201 })],
    ['stands in for longer', entryOf({ fallbackForMs: 301 })],
    ['remembers a failure for longer', entryOf({ outcome: none, ...negative, freshForMs: 51 })],
    [
      'remembers a failure that becomes stale',
      entryOf({ outcome: none, ...negative, refreshForMs: 1 }),
    ],
    ['must not be stored', entryOf(said('no-store'))],
    ['is for one client', entryOf(said('private'))],
    ['lives longer than its headers allow', entryOf({ freshForMs: 1, ...said('max-age=0') })],
    ['lives on although it must be asked for again', entryOf(said('no-cache'))],
    ['is stale although it must not be', entryOf(said('must-revalidate'))],
    [
      'is fresh beyond its Expires',
      entryOf({
        outcome: {
          ...reply,
          headers: {
            date: 'Sun, 06 Nov 2094 08:49:37 GMT',
            expires: 'Sun, 06 Nov 2094 08:49:37 GMT',
          },
        },
      }),
    ],
    ['is fresh beyond its Age', entryOf(said('max-age=60', { age: '60' }))],
    ['lives for no time', entryOf({ freshForMs: 0, refreshForMs: 0, fallbackForMs: 0 })],
    ['is a key without an item', entryOf({ outcome: { kind: 'missing' }, ...negative })],
    ['is a 404 with a body', entryOf({ outcome: { ...reply, status: 404 } })],
  ])('is not used if it %s', (_, entry) => {
    expect(isOwn(callOf(getOrder), entry)).toBe(false);
  });

  it('of a lookup is negative if there is no item, and is never a status', () => {
    const missing = { ...reply, raw: null };
    const call = callOf(orderOf);
    expect(isOwn(call, entryOf({ outcome: missing, ...negative }))).toBe(true);
    expect(isOwn(call, entryOf({ outcome: missing }))).toBe(false);
    expect(isOwn(call, entryOf({ outcome: none, ...negative }))).toBe(false);
  });

  it('of a lookup may be the 404 to a request, if that leaves the key without an item', () => {
    const missing = { ...reply, status: 404, raw: null };
    const call = callOf(orderOf);
    expect(isOwn(call, entryOf({ outcome: missing, ...negative }))).toBe(true);
    expect(isOwn(call, entryOf({ outcome: { ...missing, raw: { id: 'a' } } }))).toBe(false);
  });

  it('of a lookup says that an item is missing only if that is an error there', () => {
    const entry = entryOf({ outcome: { kind: 'missing' }, ...negative });
    const strict = lookup(nowhere, { ...byId, missing: 'error' });
    expect(isOwn(callOf(orderOf), entry)).toBe(false);
    expect(isOwn(callOf(strict), entry)).toBe(true);
  });

  it.each([404, 410])(
    "of an operation whose missing is 'null' may be a %d, which is null",
    (status) => {
      const outcome = { ...reply, status, raw: null };
      const maybe = callOf(operation(nowhere, { ...texts, missing: 'null' }));
      expect(isOwn(maybe, entryOf({ outcome, ...negative }))).toBe(true);
      expect(replay(maybe, entryOf({ outcome, ...negative }), 0)).toMatchObject({ value: null });
      for (const foreign of [
        { outcome },
        { outcome: { ...outcome, raw: 'a' }, ...negative },
        { outcome: none, ...negative },
      ])
        expect(isOwn(maybe, entryOf(foreign))).toBe(false);
      expect(isOwn(callOf(operation(nowhere, texts)), entryOf({ outcome, ...negative }))).toBe(
        false,
      );
    },
  );

  it('is not replayed if it is nested deeper than maxDepth', () => {
    expect(replayed(64).status).toBe(200);
    expect(() => replayed(65)).toThrow('was stored with a nesting that is not allowed');
  });

  it('is not used where nothing is stored', () => {
    const uncached = operation(nowhere, { route: 'GET /orders', response: z.unknown() });
    expect(isOwn(callOf(uncached), entryOf())).toBe(false);
  });
});

describe('an entry of an operation whose value has several parts', () => {
  const response = {
    body: z.unknown(),
    headers: z.object({ etag: z.string() }),
    status: z.int(),
  };
  const options = { route: 'GET /parts', response, cache, maxDepth: 2 } as const;
  const getParts = callOf(operation(nowhere, options));
  const others = { headers: { etag: '"1"' }, status: 200 };

  it('has all of them again', () => {
    const raw = { body: { list: ['a'] }, ...others };
    expect(replay(getParts, entryOf({ outcome: { ...reply, raw } }), 0).value).toEqual(raw);
  });

  it.each([
    ['has parts that do not fit', { body: null, headers: {}, status: 200 }],
    ['is from before they were parts', { list: ['a'] }],
    ['has a body that is nested too deeply', { body: [[[]]], ...others }],
  ])('is no answer if it %s', (_, raw) => {
    expect(() => replay(getParts, entryOf({ outcome: { ...reply, raw } }), 0)).toThrow(
      'shop.getParts: ',
    );
  });
});
