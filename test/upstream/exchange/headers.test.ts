/** Headers that are arguments, and parts of answers that are results, over sockets. */
import { describe, expect, it } from 'vitest';
import type { OutgoingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { ignoredBody } from '../../../src/dsl/ignored-body.ts';
import { ownLocation } from '../../../src/upstream/exchange/own-location.ts';
import { startServer } from '../../support/servers.ts';
import { callOf, failureOf, openShop } from '../../support/upstream-calls.ts';

const Item = z.object({});

interface Answering {
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  readonly prefix?: string;
}

async function startAnswering({ status = 200, headers, body = '', prefix = '' }: Answering = {}) {
  const server = await startServer(
    (_, response) => void response.writeHead(status, headers).end(body),
  );
  return { ...openShop({ url: server.url + prefix }), server };
}

describe('headers that are arguments', () => {
  const text = z.string();

  it.each<[string, z.ZodObject, object | undefined, object]>([
    ['a text', z.object({ 'x-a': text }), { 'x-a': '"v 1"' }, { 'x-a': '"v 1"' }],
    ['a number', z.object({ 'x-a': z.number() }), { 'x-a': 1.5 }, { 'x-a': '1.5' }],
    [
      'a large integer',
      z.object({ 'x-a': z.bigint() }),
      { 'x-a': 2n ** 64n },
      { 'x-a': `${2n ** 64n}` },
    ],
    ['a boolean', z.object({ 'x-a': z.boolean() }), { 'x-a': false }, { 'x-a': 'false' }],
    ['an empty text', z.object({ 'x-a': text }), { 'x-a': '' }, { 'x-a': '' }],
    ['null, which leaves it out', z.object({ 'x-a': text.nullable() }), { 'x-a': null }, {}],
    ['nothing', z.object({ 'x-a': text.optional() }), undefined, {}],
    ['a default', z.object({ 'x-a': text.default('d') }), undefined, { 'x-a': 'd' }],
    ['a constant', z.object({ 'x-b': z.literal('c') }), undefined, { 'x-b': 'c' }],
    ['a constant type', z.object({ accept: z.literal('text/x') }), undefined, { accept: 'text/x' }],
    [
      'a constant beside an argument',
      z.object({ accept: z.literal('a/b'), 'x-a': text }),
      { 'x-a': 'v', accept: 'c/d' },
      { accept: 'a/b', 'x-a': 'v' },
    ],
    [
      'only those that are declared',
      z.looseObject({ 'x-a': text }),
      { 'x-a': 'v', 'x-b': 'w' },
      { 'x-a': 'v' },
    ],
  ])('may be %s', async (_, headers, given, sent) => {
    const { service, call, server } = await startAnswering();
    const get = operation(service, {
      name: 'get',
      route: 'GET /a',
      headers,
      response: ignoredBody,
    });
    await call(get, given === undefined ? {} : { headers: given }, undefined);
    const [request] = server.requests;
    const names = new Set(['x-a', 'x-b', 'accept']);
    const found = Object.entries(request?.headers ?? {}).filter(([name]) => names.has(name));
    expect(Object.fromEntries(found)).toEqual({ accept: 'application/json', ...sent });
    expect(request?.target).toBe('/a');
  });

  it.each<[unknown, string]>([
    ['a\r\nx-b: c', 'has a character that a header cannot carry, at position 2'],
    [' a', 'begins or ends with white space, which a header cannot carry'],
    ['é', 'has a character that a header cannot carry, at position 1'],
    [['a'], 'is not text'],
    [new Date(0), 'is not text'],
  ])('are never %j, which is not sent', async (value, words) => {
    const { service, call, server } = await startAnswering();
    const headers = z.object({ 'x-a': z.unknown() });
    const get = operation(service, {
      name: 'get',
      route: 'GET /a',
      headers,
      response: ignoredBody,
    });
    expect(await failureOf(call(get, { headers: { 'x-a': value } }, undefined))).toMatchObject({
      kind: 'invalid-argument',
      argument: 'headers.x-a',
      message: `shop.get: argument "headers.x-a" ${words}`,
    });
    expect(server.requests).toEqual([]);
  });

  it('have to fit their schema', async () => {
    const { service, call } = await startAnswering();
    const headers = z.object({ 'x-a': z.string() });
    const get = operation(service, {
      name: 'get',
      route: 'GET /a',
      headers,
      response: ignoredBody,
    });
    expect((await failureOf(call(get, { headers: { 'x-a': 1 } }, undefined))).message).toBe(
      'shop.get: argument "headers.x-a": Invalid input: expected string, received number',
    );
  });
});

describe('parts of an answer', () => {
  const Order = z.object({ id: z.string() });
  const answer = {
    headers: {
      etag: '"1"',
      link: ['<a>', '<b>'],
      'x-count': '3',
      'set-cookie': ['a=1', 'b=2'],
      'x-more': 'y',
    },
    body: '{"id":"o"}',
    status: 202,
  };

  it.each<[string, object, object]>([
    ['the body', { body: Order }, { body: { id: 'o' } }],
    [
      'all of them',
      { body: Order, headers: z.object({ etag: z.string() }), status: z.int() },
      { body: { id: 'o' }, headers: { etag: '"1"' }, status: 202 },
    ],
    ['the status alone', { status: z.literal([200, 202]) }, { status: 202 }],
    [
      'a header that is not sent',
      { headers: z.object({ 'x-none': z.string().optional() }) },
      { headers: {} },
    ],
    [
      'a header that is sent twice',
      { headers: z.object({ link: z.string() }) },
      { headers: { link: '<a>, <b>' } },
    ],
    [
      'a number',
      { headers: z.object({ 'x-count': z.coerce.number() }) },
      { headers: { 'x-count': 3 } },
    ],
    [
      'cookies, which are a list',
      { headers: z.object({ 'set-cookie': z.array(z.string()) }) },
      { headers: { 'set-cookie': ['a=1', 'b=2'] } },
    ],
    ['nothing of a body that is ignored', { body: ignoredBody }, { body: null }],
  ])('may be %s', async (_, response, value) => {
    const { service, call } = await startAnswering(answer);
    const get = operation(service, { name: 'get', route: 'GET /a', response: response as never });
    expect((await call(get, {}, undefined)).value).toEqual(value);
  });

  it.each<[string, object, object, string]>([
    [
      'a body',
      { body: Order },
      { body: '{"id":1}' },
      'answered 200, but /id in its body does not fit the schema: Invalid input: expected string, ' +
        'received number',
    ],
    [
      'a body that is not there',
      { body: Order },
      {},
      'answered 200, but its body does not fit the schema: Invalid input: expected object, ' +
        'received null (the answer had no body; make the schema nullable if that is intended)',
    ],
    [
      'a header that is not there',
      { headers: z.object({ etag: z.string() }) },
      {},
      'answered 200, but header "etag" does not fit the schema: Invalid input: expected string, ' +
        'received undefined',
    ],
    [
      'a status',
      { status: z.literal(201) },
      {},
      'answered 200, but its status does not fit the schema: Invalid input: expected 201',
    ],
  ])('have to fit: %s', async (_, response, answered, words) => {
    const { service, call } = await startAnswering(answered);
    const get = operation(service, { name: 'get', route: 'GET /a', response: response as never });
    const failure = await failureOf(call(get, {}, undefined));
    expect(failure).toMatchObject({ kind: 'invalid-body', message: `shop.get: ${words}` });
  });

  it('are kept with the entry of a cache', async () => {
    const { service, open, server } = await startAnswering(answer);
    const headers = z.object({ etag: z.string() });
    const response = { body: Order, headers, status: z.int() };
    const cache = { ttlMs: 60_000 };
    const get = operation(service, { name: 'get', route: 'GET /a', response, cache });
    const withoutCookies = await startAnswering({ ...answer, headers: { etag: '"1"' } });
    const kept = operation(withoutCookies.service, {
      name: 'get',
      route: 'GET /a',
      response,
      cache,
    });
    const values = [
      await withoutCookies.open()(kept, {}, undefined),
      await withoutCookies.open()(kept, {}, undefined),
    ].map(({ value }) => value);
    const value = { body: { id: 'o' }, headers: { etag: '"1"' }, status: 202 };
    expect(values).toEqual([value, value]);
    expect(withoutCookies.server.requests).toHaveLength(1);
    // An undeclared cookie keeps the answer out of the cache.
    await open()(get, {}, undefined);
    await open()(get, {}, undefined);
    expect(server.requests).toHaveLength(2);
  });

  it('come with an answer to HEAD, which has no body', async () => {
    const { service, call, server } = await startAnswering({
      headers: { 'content-length': '10', etag: '"1"' },
    });
    const head = operation(service, {
      name: 'head',
      route: 'HEAD /a',
      response: { headers: z.object({ etag: z.string(), 'content-length': z.coerce.number() }) },
    });
    expect((await call(head, {}, undefined)).value).toEqual({
      headers: { etag: '"1"', 'content-length': 10 },
    });
    expect(server.requests[0]?.method).toBe('HEAD');
  });

  it('name places of the service by their path below its prefix', async () => {
    const headers = { location: '/v2/orders/7?x=1' };
    const { service, call } = await startAnswering({ headers, status: 201, prefix: '/v2' });
    const response = { headers: z.object({ location: z.string() }), status: z.int() };
    const place = operation(service, { name: 'place', route: 'POST /orders', response });
    expect((await call(place, {}, undefined)).value).toEqual({
      headers: { location: '/orders/7?x=1' },
      status: 201,
    });
  });
});

describe('a 202 with a location', () => {
  const location = z.object({ location: z.string() });

  it.each<[string, object, number, string | undefined]>([
    ['is doubtful where neither is declared', Item, 202, 'accepted'],
    ['is doubtful where only the body is declared', { body: Item }, 202, 'accepted'],
    ['is doubtful where the body is ignored', ignoredBody, 202, 'accepted'],
    ['is seen by its status', { status: z.int() }, 202, undefined],
    ['is seen by its location', { headers: location }, 202, undefined],
    ['is no other status', Item, 201, undefined],
  ])('%s', async (_, response, status, doubt) => {
    const { service, call } = await startAnswering({
      status,
      headers: { location: '/jobs/1' },
      body: '{}',
    });
    const post = operation(service, { route: 'POST /a', response: response as never });
    expect((await call(post, {}, undefined)).doubt).toBe(doubt);
  });

  it('is what it says without a location', async () => {
    const { service, call } = await startAnswering({ status: 202, body: '{}' });
    const post = operation(service, { route: 'POST /a', response: Item });
    expect((await call(post, {}, undefined)).doubt).toBeUndefined();
  });
});

describe('an answer with a cookie of its own', () => {
  it('is never shared by clients, and asked for once by one', async () => {
    let count = 0;
    const { url, requests } = await startServer((_, response) => {
      response.setHeader('set-cookie', `session=${(count += 1)}`).end('null');
    });
    const { service, open } = openShop({ url, service: { hedge: { afterP: 0.5 } } });
    const login = operation(service, {
      name: 'login',
      route: 'GET /login',
      response: { headers: z.object({ 'set-cookie': z.array(z.string()) }) },
    });
    const clients = Array.from({ length: 50 }, () => open());
    const replies = await Promise.all(
      clients.flatMap((call) => [call(login, {}, undefined), call(login, {}, undefined)]),
    );
    expect(requests).toHaveLength(50);
    expect(new Set(replies.map(({ value }) => JSON.stringify(value))).size).toBe(50);
  });
});

describe('credentials that are arguments', () => {
  it('decide what is shared, and are not in keys in clear', async () => {
    const { service, open, server } = await startAnswering();
    const get = operation(service, {
      name: 'get',
      route: 'GET /a',
      headers: z.object({ authorization: z.string(), 'x-a': z.string() }),
      response: ignoredBody,
      cache: { ttlMs: 60_000 },
    });
    const ask = (token: string) =>
      open()(get, { headers: { authorization: token, 'x-a': 'v' } }, undefined);
    await ask('Bearer one');
    await ask('Bearer two');
    await ask('Bearer one');
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer one',
      'Bearer two',
    ]);
    const { key, identity } = callOf(get, { headers: { authorization: 'canary', 'x-a': 'v' } });
    expect(key).toContain('"x-a":"v"');
    expect(key + identity).not.toContain('canary');
  });
});

describe('the location of an answer', () => {
  const target = '/orders/7/items?a=1';
  const base = { origin: 'http://orders:81', prefix: '/v2', target, keyParameter: 'key' };

  it.each([
    ['http://orders:81/v2/orders/8', '/orders/8'],
    ['HTTP://ORDERS:81/v2/orders/8?b=2#c', '/orders/8?b=2#c'],
    ['//orders:81/v2', '/'],
    ['/v2/orders/8', '/orders/8'],
    ['8', '/orders/7/8'],
    ['', '/orders/7/items?a=1'],
    ['../8', '/orders/8'],
    ['?page=2', '/orders/7/items?page=2'],
    // A service that does not know of its prefix.
    ['/orders/8', '/orders/8'],
    ['/v20/orders', '/v20/orders'],
    ['/v2/../admin', '/admin'],
    // Elsewhere.
    ['http://orders/v2/orders/8', 'http://orders/v2/orders/8'],
    ['https://orders:81/v2/orders/8', 'https://orders:81/v2/orders/8'],
    ['https://cdn.example/a', 'https://cdn.example/a'],
    ['http://[', 'http://['],
    // With the key that the service was sent.
    ['/v2/orders/8?key=canary&b=2', '/orders/8?b=2'],
    ['?key=canary&key=canary', '/orders/7/items'],
    ['https://cdn.example/a?key=canary', 'https://cdn.example/a'],
  ])('%j becomes %j', (text, path) => {
    expect(ownLocation(text, base)).toBe(path);
  });
});
