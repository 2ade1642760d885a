import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import type { Doubt } from '../../../src/upstream/call.ts';
import type { Ending } from '../../../src/upstream/call.ts';
import { startServer } from '../../support/servers.ts';
import { openShop } from '../../support/upstream-calls.ts';

interface Case {
  readonly body: unknown;
  readonly keys?: readonly unknown[];
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly many?: boolean;
  readonly missing?: 'null' | 'error';
  readonly match?: 'by' | 'key' | 'position';
}

const a = { id: 'a' };
const b = { id: 'b' };

/** The doubt about an answer to a lookup of a and b, as the hook of attempts is told. */
async function doubtOf({ body, keys = ['a', 'b'], status = 200, headers = {}, ...options }: Case) {
  const isWrapped = Object.hasOwn(Object(body), 'items');
  const { url } = await startServer((_, response) =>
    response.writeHead(status, headers).end(JSON.stringify(body)),
  );
  const endings: Ending[] = [];
  const { service, upstreams, open } = openShop({
    url,
    watchAttempt: () => ({ onEnd: (ending) => void endings.push(ending) }),
  });
  const own = lookup(service, {
    route: 'GET /things',
    keys: { query: 'ids' },
    by: 'id',
    item: z.object({ id: z.union([z.string(), z.number()]) }),
    ...(!Array.isArray(body) && isWrapped && { items: 'items' }),
    ...options,
  });
  const call = open();
  await Promise.allSettled(keys.map((id) => call(own, { id: id as string }, undefined)));
  await upstreams.close();
  expect(endings).toHaveLength(1);
  return endings[0]?.doubt;
}

describe('an answer to a lookup', () => {
  it.each<[string, Doubt, Case]>([
    ['has its keys in another case', 'unmatched', { body: [a, { id: 'B' }] }],
    ['has its keys trimmed', 'unmatched', { body: [a, b], keys: ['a', 'b '] }],
    [
      'has its keys in another Unicode form',
      'unmatched',
      { body: [a, { id: 'e\u0301' }], keys: ['a', '\u00e9'] },
    ],
    ['has its keys with leading zeros', 'unmatched', { body: [{ id: 7 }], keys: ['007'] }],
    [
      'has items of other keys, where missing is an error',
      'unmatched',
      { body: [{ id: 'x' }], missing: 'error' },
    ],
    ['has errors beside its items', 'errors', { body: { items: [a], errors: [{ id: 'b' }] } }],
    ['has one error beside its items', 'errors', { body: { items: [a], error: 'b is broken' } }],
    ['says that it has more', 'more', { body: { items: [a], hasMore: true } }],
    [
      'names its next page',
      'more',
      { body: { items: [a], _links: { next: { href: '/things?page=2' } } } },
    ],
    ['names a cursor', 'more', { body: { items: [a], meta: { next_cursor: 'x' } } }],
    ['says that its total is greater', 'more', { body: { items: [a], total: 2 } }],
    ['says so in Link', 'more', { body: [a], headers: { link: '</things?page=2>; rel="next"' } }],
    ['says so in X-Total-Count', 'more', { body: [a], headers: { 'x-total-count': '2' } }],
    ['has more items of its keys', 'more', { body: { items: [a, b], hasMore: true }, many: true }],
    ['has two items for a key', 'several', { body: [a, b, { id: 'a', other: 1 }] }],
    ['has two items for a key and none for another', 'several', { body: [a, a] }],
    ['does so where missing is an error', 'several', { body: [a, a], missing: 'error' }],
    [
      'has two items for a key and says that it has more',
      'more',
      { body: { items: [a, a], next: 2 } },
    ],
    ['has fewer items than keys', 'fewer', { body: [a] }],
    ['has other names than keys', 'unmatched', { body: { a, B: b }, match: 'key' }],
    ['has fewer names than keys', 'fewer', { body: { a }, match: 'key' }],
    [
      'has errors beside a name that is null',
      'errors',
      { body: { items: { a, b: null }, errors: ['b'] }, match: 'key' },
    ],
    [
      'has errors beside an entry that is null',
      'errors',
      { body: { items: [a, null], errors: ['b'] }, match: 'position' },
    ],
    ['has none', 'fewer', { body: [] }],
    ['has fewer items than keys, as expected', 'fewer', { body: [a], missing: 'null' }],
  ])('that %s is doubtful: %s', async (_, doubt, answer) => {
    expect(await doubtOf(answer)).toBe(doubt);
  });

  it.each<[string, Case]>([
    ['has an item for every key', { body: [a, b] }],
    ['has them in another order', { body: [b, a] }],
    ['has a number for a text', { body: [{ id: 7 }], keys: ['7'] }],
    ['has further items as well', { body: [a, { id: 'x' }, b] }],
    ['has all items, and pages', { body: { items: [a, b], total: 2, next: null, hasMore: false } }],
    ['has all items, and no errors', { body: { items: [b, a], errors: [], error: null } }],
    ['has an item for every key, and more of others', { body: { items: [a, b], hasMore: true } }],
    ['has two items for a key that was not asked for', { body: [a, b, { id: 'x' }, { id: 'x' }] }],
    ['has two items without a key', { body: [b, a, {}, {}] }],
    ['has two items for a key, as declared', { body: [a, b, a], many: true }],
    ['has null for a name', { body: { a, b: null }, match: 'key' }],
    ['has keys with names that say more elsewhere', { body: { a, b, next: b }, match: 'key' }],
    ['has null in its place', { body: [null, b], match: 'position' }],
    ['lacks an item, which is an error', { body: [a], missing: 'error' }],
    ['lacks items where there may be none or many', { body: [a], many: true }],
  ])('that %s is not', async (_, answer) => {
    expect(await doubtOf(answer)).toBeUndefined();
  });
});
