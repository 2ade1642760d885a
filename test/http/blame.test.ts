/** Failures that are the client's, by its arguments and its credentials: one row per rule. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import type { Composition } from '../../src/dsl/composition.ts';
import { lookup } from '../../src/dsl/declare-lookup.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import type { Ref } from '../../src/dsl/reference.ts';
import { defineService } from '../../src/dsl/service.ts';
import { optional } from '../../src/dsl/guards.ts';
import { call, each, given, map, pick } from '../../src/dsl/steps.ts';
import { toHttpDate } from '../../src/http-date.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, retry: false });
const response = z.object({ id: z.string(), list: z.array(z.string()) });
const read = operation(shop, { name: 'read', route: 'GET /things/:id', response });
const first = operation(shop, { name: 'first', route: 'GET /first', response });
const search = operation(shop, {
  name: 'search',
  route: 'GET /search',
  query: z.object({ id: z.string(), lang: z.string().optional() }),
  response,
});
const write = operation(shop, {
  name: 'write',
  route: 'POST /things',
  body: z.object({ id: z.string(), note: z.string().optional() }),
  response,
});
const itemOf = lookup(shop, {
  name: 'itemOf',
  route: 'GET /items',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  missing: 'error',
});
const own = operation(shop, {
  name: 'own',
  route: 'GET /own',
  response,
  forward: ['authorization', 'cookie', 'accept-language'],
});

const body = z.object({
  id: z.string(),
  ids: z.array(z.string()),
  inner: z.object({ id: z.string() }).nullish(),
});
const compositions = {
  fixed: defineComposition({ route: 'GET /fixed', compose: () => call(read, { id: 'a' }) }),
  param: defineComposition({
    route: 'GET /param/:id',
    compose: ({ params }) => call(read, { id: params.id }),
  }),
  query: defineComposition({
    route: 'GET /query',
    query: z.object({ id: z.string() }),
    compose: ({ query }) => call(search, { id: query.id }),
  }),
  header: defineComposition({
    route: 'GET /header',
    headers: z.object({ 'x-id': z.string() }),
    compose: ({ headers }) => call(search, { id: headers['x-id'] }),
  }),
  body: defineComposition({
    route: 'POST /body',
    body,
    compose: ({ body: sent }) => call(write, { body: { id: 'fixed', note: sent.id } }),
  }),
  picked: defineComposition({
    route: 'POST /picked',
    body,
    compose: ({ body: sent }) => call(write, { body: pick(sent, 'id') }),
  }),
  given: defineComposition({
    route: 'POST /given',
    body,
    compose: ({ body: sent }) => given(sent.inner, ({ id }) => call(read, { id })),
  }),
  each: defineComposition({
    route: 'POST /each',
    body,
    compose: ({ body: sent }) => each(sent.ids, (id) => call(read, { id })),
  }),
  mapped: defineComposition({
    route: 'GET /mapped/:id',
    compose: ({ params }) => call(read, { id: map(params.id, (id) => `x${id}`) }),
  }),
  chained: defineComposition({
    route: 'GET /chained/:id',
    compose: ({ params }) => {
      const found = call(first, {});
      return { id: params.id, found, thing: call(read, { id: found.id }) };
    },
  }),
  mixed: defineComposition({
    route: 'GET /mixed/:id',
    compose: ({ params }) => {
      const found = call(first, {});
      return call(search, { id: found.id, lang: params.id });
    },
  }),
  listed: defineComposition({
    route: 'GET /listed/:id',
    compose: () => each(call(first, {}).list, (id) => call(read, { id })),
  }),
  key: defineComposition({
    route: 'GET /key/:id',
    compose: ({ params }) => call(itemOf, { id: params.id }),
  }),
  otherKey: defineComposition({
    route: 'GET /other-key/:id',
    compose: () => call(itemOf, { id: call(first, {}).id }),
  }),
  keys: defineComposition({
    route: 'POST /keys',
    body: z.object({ ids: z.array(z.string()) }),
    compose: ({ body: { ids } }) => each(ids, (id) => call(itemOf, { id })),
  }),
  own: defineComposition({ route: 'GET /own', compose: () => call(own, {}) }),
  tolerant: defineComposition({
    route: 'GET /tolerant/:id',
    compose: ({ params }) => ({ thing: optional(call(read, { id: params.id })) }),
  }),
};

/** A service whose first answer is good where one needs it for the next, and then this. */
async function startShop(
  status: number,
  headers: Readonly<Record<string, string | string[]>> = {},
) {
  const server = await startServer((request, outgoing) => {
    if (request.url === '/first')
      return void outgoing.end(JSON.stringify({ id: 'a', list: ['a', 'b'] }));
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    outgoing.writeHead(status).end(status === 200 ? '[]' : '{"secret":"4711"}');
  });
  return startWithMocks({ compositions, environment: { SHOP_URL: server.url } });
}

const json = (value: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
const sent = json({ id: 'a', ids: ['a'], inner: { id: 'a' } });
const inAnHour = toHttpDate(Date.now() + 3_600_000);
const passed = [400, 404, 409, 410, 412, 413, 414, 422, 423, 424, 428, 451];
const never = [405, 406, 407, 408, 411, 415, 416, 417, 418, 421, 425, 426, 431];

describe('a status that says something of the request', () => {
  it.each(passed)('%i is passed on when the client decided what was asked', async (status) => {
    const { get } = await startShop(status, { 'www-authenticate': 'Bearer', 'retry-after': '7' });
    const answer = await get('/param/a');
    expect(answer.json).toMatchObject({ status, type: `urn:plait:problem:upstream-${status}` });
    expect(answer.status).toBe(status);
    expect(answer.headers.has('www-authenticate')).toBe(false);
    expect(JSON.stringify(answer.json)).not.toContain('4711');
  });

  it.each(passed)('%i is 502 when the gateway decided what was asked', async (status) => {
    const { get } = await startShop(status);
    for (const path of ['/fixed', '/chained/a', '/listed/a', '/mapped/a']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect({ path, status: (await get(path)).status }).toEqual({ path, status: 502 });
    }
  });

  it.each(never)(
    '%i is always 502: method, type, coding and headers are the gateway’s',
    async (status) => {
      const { get } = await startShop(status);
      expect((await get('/param/a')).status).toBe(502);
      expect((await get('/fixed')).status).toBe(502);
    },
  );

  it.each<[string, string, RequestInit, number]>([
    ['a path parameter', '/param/a', {}, 422],
    ['a query parameter', '/query?id=a', {}, 422],
    ['a header', '/header', { headers: { 'x-id': 'a' } }, 422],
    ['a part of the body', '/body', sent, 422],
    ['what pick keeps of it', '/picked', sent, 422],
    ['what given hands on', '/given', sent, 422],
    ['an item of a list in it', '/each', sent, 422],
    ['one argument beside one of another answer', '/mixed/a', {}, 422],
    ['nothing but a literal', '/fixed', {}, 502],
    ['what map made of it', '/mapped/a', {}, 502],
    ['another answer', '/chained/a', {}, 502],
    ['an item of another answer', '/listed/a', {}, 502],
  ])('goes by where its arguments come from: %s', async (_, path, init, expected) => {
    const { get } = await startShop(422);
    expect((await get(path, init)).status).toBe(expected);
  });

  it('is an entry of $problems by the same rule', async () => {
    const { get } = await startShop(404);
    const { status, json: answer } = await get('/tolerant/a');
    expect(status).toBe(200);
    expect(answer.$problems).toMatchObject([{ status: 404, pointer: '/thing' }]);
  });
});

/** A service that rejects the id `bad`, and has no item for it. */
async function problemOf(composition: Composition, value: object) {
  const server = await startServer(({ url = '' }, outgoing) => {
    const ids = new URL(url, 'http://shop').searchParams.get('ids')?.split(',');
    if (ids !== undefined) {
      const items = ids.filter((id) => id !== 'bad').map((id) => ({ id }));
      return void outgoing.end(JSON.stringify(items));
    }
    outgoing.writeHead(url.includes('bad') ? 422 : 200).end('{"id":"a","list":["a","b"]}');
  });
  const environment = { SHOP_URL: server.url };
  const { get } = await startWithMocks({ compositions: { composition }, environment });
  const { status, json: problem } = await get('/', json(value));
  return { status, errors: problem.errors };
}

describe('a problem about one item of a list that the client sent', () => {
  const Line = z.object({ id: z.string(), extra: z.object({ id: z.string() }).nullish() });
  const list = z.object({
    ids: z.array(z.string()).default([]),
    lines: z.array(Line).default([]),
    orders: z.array(z.object({ lines: z.array(Line) })).default([]),
  });
  const of = <W>(compose: (sent: Ref<z.output<typeof list>>) => W) =>
    defineComposition({ route: 'POST /', body: list, compose: ({ body: all }) => compose(all) });
  const lines = [{ id: 'a' }, { id: 'b', extra: { id: 'bad' } }, { id: 'bad' }];

  const reads = of(({ ids }) => each(ids, (id) => call(read, { id })));
  const picked = of((all) => each(pick(all, 'lines').lines, ({ id }) => call(read, { id })));
  const chains = of((all) =>
    each(all.lines, ({ id }) => call(search, { id, lang: call(read, { id: 'a' }).id })),
  );
  const extras = of((all) =>
    each(all.lines, ({ extra }) => given(extra, (one) => call(read, { id: one.id }))),
  );
  const nested = of(({ orders }) =>
    each(orders, (one) => each(one.lines, ({ id }) => call(read, { id }))),
  );
  const keys = of(({ ids }) => each(ids, (id) => call(itemOf, { id })));

  it.each<[string, Composition, object, [status: number, pointer: string]]>([
    ['a text', reads, { ids: ['a', 'b', 'bad'] }, [422, '/ids/2']],
    ['a field', picked, { lines }, [422, '/lines/2/id']],
    ['a field, item by item', chains, { lines }, [422, '/lines/2/id']],
    ['a field inside of given', extras, { lines }, [422, '/lines/1/extra/id']],
    [
      'an item in an item',
      nested,
      { orders: [{ lines: [] }, { lines }] },
      [422, '/orders/1/lines/2/id'],
    ],
    ['the key of a lookup', keys, { ids: ['a', 'b', 'bad'] }, [404, '/ids/2']],
    ['an argument that cannot be sent', picked, { lines: [{ id: '..' }] }, [400, '/lines/0/id']],
    ['a key that cannot be sent', keys, { ids: ['a', 'b', 'b,c'] }, [400, '/ids/2']],
  ])('points at that item: %s', async (_, composition, value, [status, pointer]) => {
    const problem = await problemOf(composition, value);
    expect(problem).toMatchObject({ status, errors: [{ in: 'body', pointer }] });
    expect(problem.errors).toHaveLength(1);
  });

  const few = of((all) => each(all.ids, (id) => call(read, { id }), { max: 2 }));
  const fewPicked = of((all) =>
    each(pick(all, 'lines').lines, ({ id }) => call(read, { id }), { max: 2 }),
  );
  const fewInner = of(({ orders }) =>
    each(orders, (one) => each(one.lines, ({ id }) => call(read, { id }), { max: 2 })),
  );
  const twice = { lines: lines.slice(0, 2) };

  it.each<[string, Composition, object, string]>([
    ['a list', few, { ids: ['a', 'b', 'c'] }, '/ids'],
    ['a part of it', fewPicked, { lines }, '/lines'],
    ['a list in an item', fewInner, { orders: [twice, { lines }] }, '/orders/1/lines'],
  ])('points at the list where that is too long: %s', async (_, composition, value, pointer) => {
    expect(await problemOf(composition, value)).toEqual({
      status: 400,
      errors: [{ in: 'body', pointer, detail: 'has more than 2 items' }],
    });
  });

  it('does not blame the client for a list that its services or map() made', async () => {
    const made = of(({ ids }) =>
      each(
        map(ids, (all) => [...all, ...all]),
        (id) => call(read, { id }),
        { max: 2 },
      ),
    );
    expect(await problemOf(made, { ids: ['a', 'b'] })).toMatchObject({ status: 502 });
  });

  it('has no pointer where the service rejects several items in one request', async () => {
    const { get } = await startShop(422);
    const composition = await get('/keys', json({ ids: ['a', 'b'] }));
    expect([composition.status, composition.json.errors]).toEqual([422, undefined]);
  });
});

describe('a key that a lookup must find', () => {
  it.each([
    ['/key/a', 404],
    ['/other-key/a', 502],
  ])('and does not, at %s, is %i', async (path, expected) => {
    const { get } = await startShop(200);
    const answer = await get(path);
    expect(answer.json).toMatchObject({ type: 'urn:plait:problem:upstream-missing' });
    expect(answer.status).toBe(expected);
  });
});

describe('credentials that a service refuses', () => {
  const authorization = { headers: { authorization: 'Bearer t' } };

  it.each<[number, RequestInit, string | string[] | undefined, [number, string | null]]>([
    [401, authorization, 'Bearer realm="x"', [401, 'Bearer realm="x"']],
    [401, authorization, ['Basic realm="x"', 'DPoP algs="ES256"'], [401, 'DPoP algs="ES256"']],
    [401, authorization, 'Basic realm="x"', [401, 'Bearer']],
    [401, authorization, undefined, [401, 'Bearer']],
    [401, { headers: { cookie: 'a=b' } }, 'Basic realm="x"', [401, 'Bearer']],
    [402, authorization, undefined, [402, null]],
    [403, authorization, undefined, [403, null]],
    [403, authorization, 'Bearer error="x"', [403, 'Bearer error="x"']],
    [403, authorization, 'Basic realm="x"', [403, null]],
    [401, {}, 'Bearer realm="x"', [401, 'Bearer realm="x"']],
    [401, {}, undefined, [401, 'Bearer']],
    [402, {}, undefined, [502, null]],
    [403, {}, 'Bearer realm="x"', [502, null]],
    [401, { headers: { 'accept-language': 'de' } }, 'Basic realm="x"', [401, 'Bearer']],
    [404, authorization, 'Bearer realm="x"', [502, null]],
  ])('%i to %j with %j is %j', async (status, init, challenge, expected) => {
    const { get } = await startShop(
      status,
      challenge === undefined ? {} : { 'www-authenticate': challenge },
    );
    const answer = await get('/own', init);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual(expected);
  });

  it.each([401, 402, 403])(
    'are not the client’s where the call carries none of them: a %i is a 502',
    async (status) => {
      const { get } = await startShop(status, { 'www-authenticate': 'Bearer' });
      const answer = await get('/param/a', authorization);
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([502, null]);
    },
  );

  it('are passed on with the nonce that a DPoP proof needs', async () => {
    const { get } = await startShop(401, {
      'www-authenticate': 'DPoP error="use_dpop_nonce"',
      'dpop-nonce': 'abc',
    });
    const { headers } = await get('/own', { headers: { authorization: 'DPoP t' } });
    expect(headers.get('dpop-nonce')).toBe('abc');
  });
});

describe('a service that asks for patience', () => {
  it.each<[number, string | string[] | undefined, number, RegExp | null]>([
    [429, '70', 503, /^70$/],
    [429, undefined, 503, /^1$/],
    [429, 'soon', 503, /^1$/],
    [429, '99999999999', 503, /^999999999$/],
    [503, ['70', '90'], 503, /^70$/],
    [429, inAnHour, 503, /^3[0-6]\d\d$/],
    [429, 'Sun, 06 Nov 1994 08:49:37 GMT', 503, /^0$/],
    [503, '70', 503, /^70$/],
    [503, inAnHour, 503, /^3[0-6]\d\d$/],
    [503, undefined, 502, null],
    [503, 'soon', 502, null],
    [500, '70', 502, null],
    [404, '70', 404, null],
  ])('with %i and Retry-After %j is %i with %s', async (status, retryAfter, expected, told) => {
    const { get } = await startShop(
      status,
      retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    );
    const answer = await get('/param/a');
    expect(answer.status).toBe(expected);
    expect(answer.headers.get('retry-after') ?? 'none').toMatch(told ?? /^none$/);
    expect(answer.json).not.toHaveProperty('retryAfter');
    expect(answer.json).not.toHaveProperty('headers');
  });
});
