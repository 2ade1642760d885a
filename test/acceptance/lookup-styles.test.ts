/** Lookups of services as they are, through a whole gateway. */
import { call, defineComposition, defineService, each, lookup, optional } from 'plait';
import type { Composition } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

const shop = defineService({ name: 'shop', url: { env: 'OWN_SHOP_URL' }, retry: false });

/** A composition of one style, the answer of its service, and what each order is then given. */
interface Style {
  readonly composition: Composition;
  readonly answer: unknown;
  /** The request that the service got: its target, and its body if it has one. */
  readonly asked: string;
  readonly given: readonly unknown[];
}

const stock = z.object({ order: z.object({ id: z.string() }), left: z.int() });
const byPath = lookup(shop, {
  name: 'byPath',
  route: 'GET /stock',
  keys: { query: 'ids' },
  items: 'data.items',
  by: 'order.id',
  item: stock,
});

const price = z.object({ sku: z.string(), shop: z.object({ no: z.int() }), cents: z.int() });
const compound = { by: ['shop.no', 'sku'], item: price } as const;
const inBody = lookup(shop, {
  name: 'inBody',
  route: 'POST /prices',
  keys: { body: 'of' },
  argument: ['shop', 'sku'],
  ...compound,
});
const joined = lookup(shop, {
  name: 'joined',
  route: 'GET /prices',
  keys: { query: 'of', join: ':' },
  ...compound,
});

const perKey = lookup(shop, {
  name: 'perKey',
  route: 'GET /left',
  keys: { query: 'ids' },
  match: 'key',
  items: 'left',
  by: 'id',
  item: z.int(),
});
const byPosition = lookup(shop, {
  name: 'byPosition',
  route: 'POST /left',
  keys: { body: 'of', join: '/' },
  match: 'position',
  by: ['shop', 'id'],
  many: true,
  item: z.object({ shelf: z.string() }),
});

const limited = lookup(shop, {
  name: 'limited',
  route: 'GET /stock',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  compare: 'caseless',
  limit: { query: 'page size' },
  errors: { items: 'meta.errors', by: 'of', status: 'code' },
  items: 'rows',
});

const prices = [
  { sku: 'b', shop: { no: 7 }, cents: 2 },
  { sku: 'a', shop: { no: 7 }, cents: 1 },
  { sku: 'c', shop: { no: 8 }, cents: 3 },
];

const styles: Record<string, Style> = {
  'by paths': {
    composition: defineComposition({
      route: 'GET /orders',
      query: z.object({ ids: z.array(z.string()) }),
      compose: ({ query }) => each(query.ids, (id) => call(byPath, { id })),
    }),
    answer: {
      data: {
        items: [
          { order: { id: 'b' }, left: 2 },
          { order: { id: 'a' }, left: 1 },
        ],
      },
    },
    asked: '/stock?ids=a,b,c',
    given: [{ order: { id: 'a' }, left: 1 }, { order: { id: 'b' }, left: 2 }, null],
  },
  'by a compound key in a body': {
    composition: defineComposition({
      route: 'GET /orders',
      query: z.object({ ids: z.array(z.string()) }),
      compose: ({ query }) => each(query.ids, (sku) => call(inBody, { shop: 7, sku })),
    }),
    answer: prices,
    asked: '/prices{"of":[{"shop":7,"sku":"a"},{"shop":7,"sku":"b"},{"shop":7,"sku":"c"}]}',
    given: [prices[1], prices[0], null],
  },
  'by key': {
    composition: defineComposition({
      route: 'GET /orders',
      query: z.object({ ids: z.array(z.string()) }),
      compose: ({ query }) => each(query.ids, (id) => call(perKey, { id })),
    }),
    answer: { left: { z: 9, b: 2, a: 0, c: null } },
    asked: '/left?ids=a,b,c',
    given: [0, 2, null],
  },
  'with a limit, and without case': {
    composition: defineComposition({
      route: 'GET /orders',
      query: z.object({ ids: z.array(z.string()) }),
      compose: ({ query }) => each(query.ids, (id) => optional(call(limited, { id }))),
    }),
    answer: {
      rows: [{ id: 'A' }],
      meta: {
        errors: [
          { of: 'c', code: 410 },
          { of: 'b', code: 503 },
        ],
      },
    },
    asked: '/stock?ids=a,b,c&page%20size=3',
    given: [{ id: 'A' }, null, null],
  },
  'by position': {
    composition: defineComposition({
      route: 'GET /orders',
      query: z.object({ ids: z.array(z.string()) }),
      compose: ({ query }) => each(query.ids, (id) => call(byPosition, { shop: 'x', id })),
    }),
    answer: [[{ shelf: 'k' }, { shelf: 'l' }], null, []],
    asked: '/left{"of":["x/a","x/b","x/c"]}',
    given: [[{ shelf: 'k' }, { shelf: 'l' }], [], []],
  },
  'by a compound key in a query': {
    composition: defineComposition({
      route: 'GET /orders',
      query: z.object({ ids: z.array(z.string()) }),
      compose: ({ query }) => each(query.ids, (sku) => call(joined, { no: 7, sku })),
    }),
    answer: prices,
    asked: '/prices?of=7%3Aa,7%3Ab,7%3Ac',
    given: [prices[1], prices[0], null],
  },
};

describe('a lookup of a service as it is', () => {
  it.each(Object.entries(styles))('gives each order its own, %s', async (_, style) => {
    const server = await startServer((_request, answer) => {
      answer.end(JSON.stringify(style.answer));
    });
    const { get } = await startWithMocks({
      compositions: { orders: style.composition },
      environment: { OWN_SHOP_URL: server.url },
    });
    const { status, json } = await get('/orders?ids=a&ids=b&ids=c');
    expect(json).toEqual(style.given);
    expect(status).toBe(200);
    expect(server.requests.map(({ target, body }) => target + body)).toEqual([style.asked]);
  });
});
