/** Entries that an operation could not have stored are not used, whoever has put them there. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { Entry } from '../../../src/upstream/caching/cache-entry.ts';
import { isOwn } from '../../../src/upstream/caching/cache-entry.ts';
import { callOf, nowhere } from '../../support/upstream-calls.ts';

const cache = {
  ttlMs: 1_000,
  staleWhileRevalidateMs: 200,
  staleIfErrorMs: 300,
  negativeTtlMs: 50,
};
const getOrder = operation(nowhere, { route: 'GET /orders', response: z.unknown(), cache });
const orderOf = lookup(nowhere, {
  route: 'GET /orders',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  cache,
});

const reply = { kind: 'reply', status: 200, headers: {}, raw: 'a' } as const;
const none = { kind: 'status', status: 404 } as const;
const negative = { freshForMs: 50, refreshForMs: 0, fallbackForMs: 0 };

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

describe('an entry', () => {
  it.each<[string, Entry]>([
    ['lives as long as the operation allows', entryOf()],
    ['lives shorter', entryOf({ freshForMs: 0, refreshForMs: 0 })],
    ['remembers a failure', entryOf({ outcome: none, ...negative })],
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
    [
      'must not be stored',
      entryOf({ outcome: { ...reply, headers: { 'cache-control': 'no-store' } } }),
    ],
    [
      'is for one client',
      entryOf({ outcome: { ...reply, headers: { 'cache-control': 'private' } } }),
    ],
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

  it('is not used where nothing is stored', () => {
    const uncached = operation(nowhere, { route: 'GET /orders', response: z.unknown() });
    expect(isOwn(callOf(uncached), entryOf())).toBe(false);
  });
});
