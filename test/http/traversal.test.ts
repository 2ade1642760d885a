/** Path traversal through a parameter: whose mistake it is, and that nothing is sent. */
import { call } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, retry: false });
const response = z.object({ next: z.string() });
const getOrder = operation(shop, { name: 'getOrder', route: 'GET /orders/:id', response });
const fileOf = operation(shop, { name: 'fileOf', route: 'GET /files/:path+', response });

/** A service whose orders say that `next` comes after them. */
async function startShop(next: string) {
  const service = await startServer((_, answer) => answer.end(JSON.stringify({ next })));
  const gateway = await startWithMocks({
    compositions: {
      order: defineComposition({
        route: 'GET /orders/:id',
        compose: ({ params }) => call(getOrder, { id: params.id }),
      }),
      next: defineComposition({
        route: 'GET /orders/:id/next',
        compose: ({ params }) => call(getOrder, { id: call(getOrder, { id: params.id }).next }),
      }),
      file: defineComposition({
        route: 'GET /files/:path',
        compose: ({ params }) => call(fileOf, { path: params.path }),
      }),
    },
    environment: { SHOP_URL: service.url },
  });
  return { gateway, asked: () => service.requests.map(({ target }) => target) };
}

describe('a parameter that could reach another path', () => {
  it.each([
    '..%2finternal%2forder',
    '%2e%2e%2finternal',
    '..%252finternal',
    'x%2f..%2f..%2f',
    'a%2fb',
    '..;%2fadmin',
    '%25c0%25ae%25c0%25ae',
  ])('is the mistake of the client that sends %s: 400, and no service is asked', async (id) => {
    const { gateway, asked } = await startShop('b');
    const { status, json } = await gateway.get(`/orders/${id}`);
    expect([status, asked()]).toEqual([400, []]);
    expect(json).toMatchObject({
      type: 'urn:plait:problem:invalid-request',
      errors: [{ in: 'path', pointer: '/id' }],
    });
  });

  it.each(['../internal', '..%2finternal', 'a/b', 'a\\b'])(
    'is the mistake of the service that answers %s: 502, and it is not asked for',
    async (next) => {
      const { gateway, asked } = await startShop(next);
      const { status } = await gateway.get('/orders/a/next');
      expect([status, asked()]).toEqual([502, ['/orders/a']]);
    },
  );
});

it('a parameter of several segments is sent as such, each encoded', async () => {
  const { gateway, asked } = await startShop('b');
  expect((await gateway.get('/files/docs%2Fa%20b%2Fc.txt')).status).toBe(200);
  expect((await gateway.get('/files/docs%2F..%2Fc.txt')).status).toBe(400);
  expect(asked()).toEqual(['/files/docs/a%20b/c.txt']);
});
