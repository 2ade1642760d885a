/** Responses with a status and headers of the composition, over sockets. */
import { answer, call, defineComposition, defineService, map, operation, optional } from 'plait';
import type { Ref } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AnswerOptions } from '../../src/dsl/answered.ts';
import type { ResponseCache } from '../../src/dsl/cache.ts';
import { drawTree } from '../../src/explain/draw-tree.ts';
import { explain } from '../../src/explain/explain.ts';
import { compile } from '../../src/plan/compile.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, retry: false });
const Item = z.object({ id: z.string(), status: z.number(), text: z.string().nullable() });
type Item = z.output<typeof Item>;
const getItem = operation(shop, { name: 'getItem', route: 'GET /items/:id', response: Item });
const place = operation(shop, {
  name: 'place',
  route: 'POST /orders',
  response: { headers: z.object({ location: z.string() }), status: z.int() },
});
const login = operation(shop, {
  name: 'login',
  route: 'GET /login',
  response: { headers: z.object({ 'set-cookie': z.array(z.string()) }) },
});
const loginByPost = operation(shop, {
  name: 'loginByPost',
  route: 'POST /login',
  response: { headers: z.object({ 'set-cookie': z.array(z.string()) }) },
});
const broken = operation(shop, { name: 'broken', route: 'GET /broken', response: Item });

interface Inputs {
  readonly item: Ref<Item>;
  readonly text: Ref<string>;
}

interface Answering {
  readonly options: (inputs: Inputs) => AnswerOptions;
  readonly template?: (inputs: Inputs) => unknown;
  readonly item?: Partial<Item>;
  readonly cache?: ResponseCache;
}

/** A gateway with one composition, which asks for an item and answers by it. */
async function startAnswering({ options, template, item, cache }: Answering) {
  const page = defineComposition({
    route: 'GET /page',
    query: z.object({ text: z.string().default('') }),
    ...(cache && { cache }),
    compose({ query }) {
      const inputs = { item: call(getItem, { id: 'a' }), text: query.text };
      return answer(template?.(inputs) ?? { id: inputs.item.id }, options(inputs));
    },
  });
  const server = await startServer((request, response) => {
    if (request.url === '/broken') return void response.writeHead(500).end();
    response.end(JSON.stringify({ id: 'a', status: 200, text: null, ...item }));
  });
  const environment = { SHOP_URL: server.url };
  const gateway = await startWithMocks({ compositions: { page }, environment });
  return {
    gateway,
    ask: (query = '', init: RequestInit = {}) =>
      gateway.get(`/page${query}`, { redirect: 'manual', ...init }),
  };
}

const noStore = { 'cache-control': 'no-store' };
const cache = { maxAge: 60 };

describe('a response with a status and headers of its own', () => {
  it.each<[string, Answering, number, Readonly<Record<string, string | null>>, unknown]>([
    ['200 by default', { options: () => ({}) }, 200, noStore, { id: 'a' }],
    ['a status', { options: () => ({ status: 201 }) }, 201, noStore, { id: 'a' }],
    [
      'a status by data',
      { options: ({ item }) => ({ status: item.status }), item: { status: 404 } },
      404,
      noStore,
      { id: 'a' },
    ],
    [
      'a status that a function computes',
      {
        options: ({ item }) => ({ status: map(item, ({ text }) => (text === null ? 410 : 200)) }),
      },
      410,
      noStore,
      { id: 'a' },
    ],
    [
      'no body with a 204, whatever the template is',
      { options: ({ item }) => ({ status: item.status }), item: { status: 204 } },
      204,
      { 'content-type': null, 'content-length': null },
      undefined,
    ],
    [
      'headers with references inside',
      {
        options: ({ item }) => ({
          headers: { 'content-language': 'de', link: [item.id, '<b>; rel="next"'], 'x-n': 1.5 },
        }),
      },
      200,
      { 'content-language': 'de', link: 'a, <b>; rel="next"', 'x-n': '1.5' },
      { id: 'a' },
    ],
    [
      'no header for null',
      { options: ({ item }) => ({ headers: { 'x-a': item.text, 'x-b': null } }) },
      200,
      { 'x-a': null, 'x-b': null },
      { id: 'a' },
    ],
    [
      'a redirect',
      {
        options: ({ item }) => ({ status: 303, headers: { location: item.text } }),
        item: { text: '/b' },
      },
      303,
      { location: '/b', ...noStore },
      { id: 'a' },
    ],
    [
      'a type of JSON of its own',
      { options: () => ({ headers: { 'content-type': 'application/hal+json' } }) },
      200,
      { 'content-type': 'application/hal+json' },
      { id: 'a' },
    ],
    [
      'a lifetime for a 200, with an ETag',
      { options: () => ({}), cache },
      200,
      { 'cache-control': 'public, max-age=60', etag: expect.stringMatching(/^"/) },
      { id: 'a' },
    ],
    [
      'a lifetime for a 404, without an ETag',
      { options: () => ({ status: 404 }), cache },
      404,
      { 'cache-control': 'public, max-age=60', etag: null },
      { id: 'a' },
    ],
    [
      'no lifetime for a 201',
      { options: () => ({ status: 202 }), cache },
      202,
      noStore,
      { id: 'a' },
    ],
    [
      'an ETag of its own',
      { options: () => ({ headers: { etag: 'W/"7"' } }), cache },
      200,
      { etag: 'W/"7"', 'cache-control': 'public, max-age=60' },
      { id: 'a' },
    ],
    [
      'no ETag when parts are missing',
      {
        options: () => ({ headers: { etag: '"7"' } }),
        template: () => ({ other: optional(call(broken, {})) }),
        cache,
      },
      200,
      { etag: null, ...noStore, 'plait-degraded': 'other;reason=status;status=500' },
      { other: null, $problems: [expect.objectContaining({ pointer: '/other' })] },
    ],
    [
      'what is missing in a header alone',
      {
        options: () => ({ headers: { 'x-a': optional(call(broken, {})).id } }),
        template: () => ({ ok: true }),
      },
      200,
      { 'x-a': null, 'plait-degraded': 'broken;reason=status;status=500' },
      { ok: true, $problems: [expect.objectContaining({ pointer: '' })] },
    ],
  ])('has %s', async (...[, answering, status, headers, json]) => {
    const { ask } = await startAnswering(answering);
    const given = await ask();
    const found = Object.keys(headers).map((name) => [name, given.headers.get(name)]);
    expect({ status: given.status, json: given.json }).toEqual({ status, json });
    expect(Object.fromEntries(found)).toEqual(headers);
  });

  it('is not modified for a client that has it, by the ETag that it was given', async () => {
    const { ask } = await startAnswering({ options: () => ({ headers: { etag: 'W/"7"' } }) });
    const known = await ask('', { headers: { 'if-none-match': '"7"' } });
    expect([known.status, known.headers.get('etag')]).toEqual([304, 'W/"7"']);
    expect((await ask('', { headers: { 'if-none-match': '"8"' } })).status).toBe(200);
  });

  it('is the same for HEAD, without the body', async () => {
    const { ask } = await startAnswering({
      options: () => ({ status: 203, headers: { 'x-a': 'b', 'set-cookie': ['a=1', 'b=2'] } }),
    });
    const head = await ask('', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 203, json: undefined });
    expect([head.headers.get('x-a'), head.headers.getSetCookie()]).toEqual(['b', ['a=1', 'b=2']]);
    expect((await ask('', { method: 'OPTIONS' })).status).toBe(204);
  });

  it.each<[string, Answering['options'], Partial<Item>]>([
    [
      'a status that no composition can give',
      ({ item }) => ({ status: item.status }),
      { status: 206 },
    ],
    [
      'a status that is no number',
      ({ item }) => ({ status: map(item, ({ text }) => text) as never }),
      { text: '201' },
    ],
    ['a redirect without a location', ({ item }) => ({ status: item.status }), { status: 302 }],
    ['a 401 without a challenge', ({ item }) => ({ status: item.status }), { status: 401 }],
    [
      'a line break of a service',
      ({ item }) => ({ headers: { 'x-a': item.text } }),
      { text: 'a\r\nb: c' },
    ],
    [
      'a header that is an object',
      ({ item }) => ({ headers: { 'x-a': map(item, ({ id }) => ({ id })) as never } }),
      {},
    ],
    [
      'a line break that a function makes of the text of a client',
      ({ text }) => ({ headers: { 'x-a': map(text, (one) => `${one}\n`) } }),
      {},
    ],
    [
      'a header that many clients do not take',
      ({ item }) => ({ headers: { link: item.text } }),
      { text: 'a'.repeat(9_000) },
    ],
    [
      'a cookie of a service that would become two',
      ({ item }) => ({ headers: { 'set-cookie': { name: 'a', value: item.text } } }),
      { text: 'b; Domain=evil' },
    ],
  ])('is a 500 for %s', async (_, options, item) => {
    const { ask, gateway } = await startAnswering({ options, item });
    expect(await ask()).toMatchObject({
      status: 500,
      json: { type: 'urn:plait:problem:response-mismatch' },
    });
    expect(gateway.internalErrors).toHaveLength(1);
  });

  it('is a 400 for a line break of the client itself (header injection)', async () => {
    const { ask } = await startAnswering({
      options: ({ text }) => ({ headers: { 'content-language': text } }),
    });
    expect((await ask('?text=de')).headers.get('content-language')).toBe('de');
    expect(await ask('?text=de%0d%0aset-cookie:%20a=b')).toMatchObject({
      status: 400,
      json: { errors: [{ in: 'query', pointer: '/text' }] },
    });
  });
});

describe('cookies', () => {
  it('are sent one in a line, with safe attributes, and never stored', async () => {
    const { ask } = await startAnswering({
      options: ({ item }) => ({
        headers: {
          'set-cookie': [
            { name: 'session', value: item.id },
            {
              name: 'theme',
              value: 'dark',
              httpOnly: false,
              secure: false,
              maxAge: 60,
              path: '/a',
            },
            { name: 'none', value: item.text },
          ],
        },
      }),
    });
    const { headers } = await ask();
    expect(headers.getSetCookie()).toEqual([
      'session=a; Path=/; HttpOnly; Secure; SameSite=Lax',
      'theme=dark; Max-Age=60; Path=/a; SameSite=Lax',
    ]);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it.each(['GET', 'POST'] as const)('of a service are for one client each: %s', async (method) => {
    let count = 0;
    const { url } = await startServer((_, response) => {
      count += 1;
      response.setHeader('set-cookie', [`session=${count}; Path=/`, `other=${count}`]).end('null');
    });
    const page = defineComposition({
      route: `${method} /session`,
      compose() {
        const { headers } = call(method === 'GET' ? login : loginByPost, {});
        return answer({ ok: true }, { headers: { 'set-cookie': headers['set-cookie'] } });
      },
    });
    const gateway = await startWithMocks({
      compositions: { page },
      environment: { SHOP_URL: url },
    });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => gateway.get('/session', { method })),
    );
    const cookies = answers.map(({ headers }) => headers.getSetCookie());
    expect(cookies.every((lines) => lines.length === 2)).toBe(true);
    expect(new Set(cookies.map(([session]) => session)).size).toBe(50);
    expect(answers.every(({ headers }) => headers.get('cache-control') === 'no-store')).toBe(true);
  });
});

describe('a 201 with the place of what was made', () => {
  it('passes on the status and the location of a service, as a path', async () => {
    const { url } = await startServer(
      (_, response) => void response.writeHead(202, { location: `/orders/7` }).end(),
    );
    const page = defineComposition({
      route: 'POST /orders',
      compose() {
        const placed = call(place, {});
        return answer(null, {
          status: placed.status,
          headers: { location: placed.headers.location },
        });
      },
    });
    const gateway = await startWithMocks({
      compositions: { page },
      environment: { SHOP_URL: url },
    });
    const { status, headers, json } = await gateway.get('/orders', { method: 'POST' });
    expect([status, headers.get('location'), json]).toEqual([202, '/orders/7', null]);
    const plan = compile({ name: 'page', composition: page });
    expect(explain(plan).answer).toEqual({ status: 'by data', headers: ['location'] });
    expect(drawTree(explain(plan))).toContain('answers a status by data, location');
  });
});
