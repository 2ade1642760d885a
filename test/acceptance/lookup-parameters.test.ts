/** Arguments of a lookup that are the same for a whole request, through a whole gateway. */
import { call, defineComposition, defineService, each, lookup } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';
import { callOf } from '../support/upstream-calls.ts';

const stock = defineService({ name: 'stock', url: { env: 'OWN_STOCK_URL' } });
const itemOf = lookup(stock, {
  name: 'itemOf',
  route: 'POST /warehouses/:warehouse/items',
  keys: { body: 'filter.ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  query: z.object({ locale: z.string().optional() }),
  body: z.object({
    filter: z.object({ active: z.boolean() }),
    fields: z.array(z.string()).default(['id']),
  }),
  headers: z.object({ 'x-tenant': z.string(), accept: z.literal('application/vnd.stock+json') }),
});

const Wanted = z.object({
  id: z.string(),
  warehouse: z.string(),
  tenant: z.string(),
  active: z.boolean(),
});
type Wanted = z.infer<typeof Wanted>;

const page = defineComposition({
  route: 'POST /page',
  body: z.object({ wanted: z.array(Wanted) }),
  compose: ({ body }) => ({
    items: each(body.wanted, ({ id, warehouse, tenant, active }) =>
      call(itemOf, {
        id,
        warehouse,
        locale: 'de',
        body: { filter: { active } },
        headers: { 'x-tenant': tenant },
      }),
    ),
  }),
});

async function start() {
  const server = await startServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('[{"id":"1"},{"id":"2"}]');
  });
  const gateway = await startWithMocks({
    compositions: { page },
    environment: { OWN_STOCK_URL: server.url },
  });
  async function ask(wanted: readonly Partial<Wanted>[]) {
    const common = { warehouse: 'north', tenant: 'a', active: true };
    const answer = await gateway.get('/page', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ wanted: wanted.map((own) => ({ ...common, ...own })) }),
    });
    return { answer, requests: server.requests };
  }
  return { ask };
}

describe('the path, query, body and headers of a lookup', () => {
  it('are sent with the keys in their place', async () => {
    const { ask } = await start();
    const { answer, requests } = await ask([{ id: '1' }, { id: '2' }]);
    expect(answer.json).toEqual({ items: [{ id: '1' }, { id: '2' }] });
    expect(requests).toMatchObject([
      {
        method: 'POST',
        target: '/warehouses/north/items?locale=de',
        headers: { 'x-tenant': 'a', accept: 'application/vnd.stock+json' },
      },
    ]);
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual({
      filter: { active: true, ids: ['1', '2'] },
      fields: ['id'],
    });
  });

  it.each<[string, Partial<Wanted>]>([
    ['path parameter', { warehouse: 'south' }],
    ['body', { active: false }],
    ['header', { tenant: 'b' }],
  ])('make requests of their own where a %s differs', async (_, other) => {
    const { ask } = await start();
    const { answer, requests } = await ask([{ id: '1' }, { id: '2', ...other }]);
    expect(answer.json).toEqual({ items: [{ id: '1' }, { id: '2' }] });
    const ids = requests.map(({ body }) => (JSON.parse(body) as Sent).filter.ids);
    expect(ids.toSorted()).toEqual([['1'], ['2']]);
  });

  it('are the mistake of the client whose text they are', async () => {
    const { ask } = await start();
    const { answer } = await ask([{ id: '1', warehouse: '..' }]);
    expect(answer).toMatchObject({
      status: 400,
      json: { errors: [{ in: 'body', pointer: '/wanted/0/warehouse' }] },
    });
  });

  it('are no part of keys in clear where they are credentials', () => {
    const secret = lookup(stock, {
      route: 'GET /own',
      keys: { query: 'ids' },
      by: 'id',
      item: z.object({ id: z.string() }),
      headers: z.object({ 'x-api-key': z.string(), 'x-shop': z.string() }),
    });
    const keyWith = (key: string) =>
      callOf(secret, { headers: { 'x-api-key': key, 'x-shop': 'north' } }).key;
    expect(keyWith('canary')).not.toContain('canary');
    expect(keyWith('canary')).toContain('north');
    expect(keyWith('canary')).not.toBe(keyWith('other'));
  });
});

interface Sent {
  readonly filter: { readonly ids: readonly string[] };
}
