/** Lookups of services as they are, through a whole gateway. */
import type { IncomingMessage } from 'node:http';
import { call, defineComposition, defineService, each, lookup } from 'plait';
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
};

describe('a lookup of a service as it is', () => {
  it.each(Object.entries(styles))('gives each order its own, %s', async (_, style) => {
    const asked: string[] = [];
    const server = await startServer(async (request, answer) => {
      asked.push(`${request.url}${await bodyOf(request)}`);
      answer.end(JSON.stringify(style.answer));
    });
    const { get } = await startWithMocks({
      compositions: { orders: style.composition },
      environment: { OWN_SHOP_URL: server.url },
    });
    const { status, json } = await get('/orders?ids=a&ids=b&ids=c');
    expect(json).toEqual(style.given);
    expect(status).toBe(200);
    expect(asked).toEqual([style.asked]);
  });
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer); // without an encoding
  return Buffer.concat(parts).toString();
}
