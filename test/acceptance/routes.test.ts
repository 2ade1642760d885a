/** Services whose routes end in a slash, carry text, or lead elsewhere, through a whole gateway. */
import { call, defineComposition, defineService, operation, optional } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createLog } from '../../src/telemetry/log.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

const shop = defineService({
  name: 'shop',
  url: { env: 'OWN_SHOP_URL' },
  retry: false,
  redirects: 'follow',
});
const response = z.object({ at: z.string() });
const list = operation(shop, { route: 'GET /orders/', response });
const asJson = operation(shop, { route: 'GET /orders/:id.json', response });
const search = operation(shop, {
  route: 'POST /orders:search',
  body: z.object({ text: z.string() }),
  safe: true,
  response,
});
const moved = operation(shop, { route: 'GET /moved/:where', response });
const strict = operation(shop, {
  name: 'strict',
  route: 'GET /moved/:where',
  redirects: 'error',
  response,
});

const filter = z.object({ status: z.string(), tags: z.array(z.string()) });
const find = operation(shop, {
  route: 'GET /find',
  query: z.object({ filter }),
  queryStyle: { arrays: 'comma', objects: 'brackets', spaces: '%20' },
  response,
});

const compositions = {
  list: defineComposition({ route: 'GET /orders/', compose: () => call(list, {}) }),
  one: defineComposition({
    route: 'GET /orders/:id',
    compose: ({ params }) => call(asJson, { id: params.id }),
  }),
  search: defineComposition({
    route: 'POST /orders:search',
    body: z.object({ text: z.string() }),
    compose: ({ body }) => call(search, { body: { text: body.text } }),
  }),
  find: defineComposition({
    route: 'GET /find',
    query: z.object({ status: z.string(), tag: z.array(z.string()) }),
    compose: ({ query }) => call(find, { filter: { status: query.status, tags: query.tag } }),
  }),
  moved: defineComposition({
    route: 'GET /moved/:where',
    compose: ({ params }) => call(moved, { where: params.where }),
  }),
  strict: defineComposition({
    route: 'GET /strict/:where',
    compose: ({ params }) => ({ it: optional(call(strict, { where: params.where })) }),
  }),
};

/** Redirects `/moved/…`, and says of everything else where that was. */
async function start() {
  const leads: Readonly<Record<string, string>> = {
    '/moved/here': '/orders/',
    '/moved/there': 'https://user:pass@login.example/in?code=secret',
    '/moved/round': '/moved/round',
  };
  const server = await startServer(({ url = '' }, answer) => {
    const location = leads[url];
    if (location === undefined) answer.end(JSON.stringify({ at: url }));
    else answer.writeHead(302, { location }).end();
  });
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'json', write: (line) => lines.push(line) });
  const gateway = await startWithMocks({
    compositions,
    environment: { OWN_SHOP_URL: server.url },
    accessLog: { log, headers: [], withCauses: false },
  });
  return { ...gateway, lines };
}

describe('routes as services have them', () => {
  it.each([
    ['/orders/', '/orders/', {}],
    ['/orders/7', '/orders/7.json', {}],
    ['/orders/a%3Ab', '/orders/a%3Ab.json', {}],
    ['/orders:search', '/orders:search', { method: 'POST', body: '{"text":"x"}' }],
    [
      '/find?status=not+open&tag=a&tag=b,c',
      '/find?filter%5Bstatus%5D=not%20open&filter%5Btags%5D=a,b%2Cc',
      {},
    ],
    ['/moved/here', '/orders/', {}],
    ['/strict/nowhere', undefined, {}],
  ])('are called by %s', async (path, at, init) => {
    const { get } = await start();
    const headers = { 'content-type': 'application/json' };
    const { status, json } = await get(path, { headers, ...init });
    expect(status).toBe(200);
    expect(json).toEqual(at === undefined ? { it: { at: '/moved/nowhere' } } : { at });
  });

  it.each([['/orders'], ['/orders:find'], ['/orders/..%2fadmin'], ['/orders/%2e%2e']])(
    'are not reached by %s',
    async (path) => {
      const { get } = await start();
      expect((await get(path)).status).toBeGreaterThanOrEqual(400);
    },
  );
});

describe('a redirect that is not followed', () => {
  it.each([
    [
      '/moved/there',
      'shop.getMoved: answered 302 to https://login.example, which is not below the address that was asked',
    ],
    ['/moved/round', 'shop.getMoved: answered 302 to /moved/round, which was asked already'],
    ['/strict/here', 'shop.strict: answered 302 to /orders/, which is not followed'],
  ])('by %s is named in the log, and not to the client', async (path, message) => {
    const { get, lines } = await start();
    const { status, json } = await get(path);
    expect(status).toBe(path.startsWith('/strict') ? 200 : 502);
    expect(JSON.stringify(json)).not.toMatch(/login|orders\/|secret|pass/);
    expect(lines.join('')).toContain(message);
    expect(lines.join('')).not.toMatch(/secret|pass/);
  });
});
