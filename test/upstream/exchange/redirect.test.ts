/** Redirects of a service, over sockets. */
import { describe, expect, it } from 'vitest';
import type { OutgoingHttpHeaders, RequestListener } from 'node:http';
import { z } from 'zod';
import { apiKey, basic, bearer } from '../../../src/dsl/credentials.ts';
import type { Auth } from '../../../src/dsl/credentials.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { OperationConfig } from '../../../src/dsl/declare-operation.ts';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { ignoredBody } from '../../../src/dsl/ignored-body.ts';
import type { Ending } from '../../../src/upstream/call.ts';
import { startServer } from '../../support/servers.ts';
import { failureOf, openShop, reasonOf, turn } from '../../support/upstream-calls.ts';
import type { ShopOptions } from '../../support/upstream-calls.ts';

const found = '{"id":"7"}';
const response = z.object({ id: z.string() });

/** By target: where a server redirects to, with which status and headers. */
type Redirects = Readonly<
  Record<string, readonly [status: number, location?: string, headers?: OutgoingHttpHeaders]>
>;

/** Answers all targets but those of `redirects`. */
function answering(redirects: Redirects): RequestListener {
  return (request, answer) => {
    const [status, location, headers] = redirects[request.url ?? ''] ?? [200];
    answer.writeHead(status, { ...headers, ...(location !== undefined && { location }) });
    answer.end(status === 200 ? found : 'moved');
  };
}

interface Starting extends ShopOptions {
  readonly prefix?: string;
}

async function start(redirects: Redirects, { prefix = '', ...options }: Starting = {}) {
  const server = await startServer(answering(redirects));
  const { service: more, ...rest } = options;
  const service = { redirects: 'follow' as const, ...more };
  const shop = openShop({ ...rest, url: server.url + prefix, service });
  const get = (config: Partial<OperationConfig<'GET /a', undefined, undefined, z.ZodType>> = {}) =>
    operation(shop.service, { name: 'get', route: 'GET /a', response, ...config });
  return { ...shop, server, get, targets: () => server.requests.map(({ target }) => target) };
}

describe('a redirect that is followed', () => {
  it.each<[string, Redirects, string[]]>([
    ['once', { '/a': [302, '/b'] }, ['/a', '/b']],
    ['for good', { '/a': [301, '/a/'] }, ['/a', '/a/']],
    ['to another thing', { '/a': [303, '/b?c=d%20e'] }, ['/a', '/b?c=d%20e']],
    ['with the same method', { '/a': [307, 'b'] }, ['/a', '/b']],
    ['for good with the same method', { '/a': [308, './b/c#d'] }, ['/a', '/b/c']],
    [
      'three times, each from where the last one led',
      { '/a': [302, '/b/c'], '/b/c': [302, 'd'], '/b/d': [302, '?e'] },
      ['/a', '/b/c', '/b/d', '/b/d?e'],
    ],
    [
      'with bytes that are not escaped',
      { '/a': [302, Buffer.from('/ä').toString('latin1')] },
      ['/a', '/%C3%A4'],
    ],
    ['with letters that are not escaped', { '/a': [302, '/b c'] }, ['/a', '/b%20c']],
  ])('leads %s', async (_, redirects, expected) => {
    const { call, get, targets } = await start(redirects);
    expect((await call(get(), {}, undefined)).value).toEqual({ id: '7' });
    expect(targets()).toEqual(expected);
  });

  it('leads to a whole address of the service, below its prefix', async () => {
    const { url, requests } = await startServer((request, answer) => {
      if (request.url !== '/v2/a') return answer.end(found);
      return answer.writeHead(302, { location: `${url}/v2/b?c` }).end();
    });
    const { call, service } = openShop({ url: `${url}/v2`, service: { redirects: 'follow' } });
    await call(operation(service, { route: 'GET /a', response }), {}, undefined);
    expect(requests.map(({ target }) => target)).toEqual(['/v2/a', '/v2/b?c']);
  });

  it('has the headers of the first request, and our key once each', async () => {
    const { call, service, server } = await start(
      { '/a?key=secret': [302, '/b?key=secret'] },
      {
        service: { auth: apiKey({ env: 'KEY' }, { query: 'key' }), forward: ['authorization'] },
        headers: { authorization: 'mine' },
        environment: { KEY: 'secret' },
        secrets: () => ({ text: () => 'secret', lookAgain: async () => undefined }),
      },
    );
    const headers = z.object({ 'x-a': z.string() });
    const get = operation(service, { name: 'get', route: 'GET /a', headers, response });
    await call(get, { headers: { 'x-a': 'v' } }, undefined);
    expect(server.requests.map(({ target }) => target)).toEqual(['/a?key=secret', '/b?key=secret']);
    for (const { method, headers: sent } of server.requests) {
      expect(method).toBe('GET');
      expect(sent).toMatchObject({ 'x-a': 'v', authorization: 'mine' });
    }
  });

  it('is also one of HEAD, and of a lookup', async () => {
    const { call, service, server } = await start({ '/a': [302, '/b'], '/l?ids=7': [302, '/m'] });
    const head = operation(service, { route: 'HEAD /a', response: { status: z.literal(200) } });
    expect((await call(head, {}, undefined)).value).toEqual({ status: 200 });
    expect(server.requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
    const of = lookup(service, {
      route: 'GET /l',
      keys: { query: 'ids' },
      by: 'id',
      item: response,
    });
    await call(of, { id: '7' }, undefined).catch(() => undefined);
    expect(server.requests.at(-1)?.target).toBe('/m');
  });

  it('changes where the addresses in the answer begin', async () => {
    const moved = { '/a': [302, '/b/c'] } as const;
    const server = await startServer((request, answer) => {
      const [status, location] = request.url === '/a' ? moved['/a'] : [200, 'd'];
      answer.writeHead(status, { location }).end();
    });
    const { call, service } = openShop({ url: server.url, service: { redirects: 'follow' } });
    const get = operation(service, {
      route: 'GET /a',
      response: { headers: z.object({ location: z.string() }) },
    });
    expect((await call(get, {}, undefined)).value).toEqual({ headers: { location: '/b/d' } });
  });

  it.each<[OutgoingHttpHeaders, object]>([
    [{ 'cache-control': 'no-store' }, { 'cache-control': ['no-store'] }],
    [
      { 'set-cookie': 'a=b', vary: '*' },
      { 'set-cookie': ['a=b'], vary: ['*'] },
    ],
    [{ 'x-a': 'b' }, {}],
  ])('hands on what %j says about sharing the answer', async (headers, expected) => {
    const { call, get } = await start({ '/a': [302, '/b', headers] });
    const reply = await call(get(), {}, undefined);
    const { 'cache-control': control, 'set-cookie': cookie, vary, 'x-a': other } = reply.headers;
    const kept = { 'cache-control': control, 'set-cookie': cookie, vary, 'x-a': other };
    expect(JSON.parse(JSON.stringify(kept))).toEqual(expected);
  });

  it('takes time of the same attempt, and tells the service how much is left', async () => {
    const server = await startServer((request, answer) => {
      if (request.url !== '/a') return answer.end(found);
      return setTimeout(() => answer.writeHead(302, { location: '/b' }).end(), 60);
    });
    const { call, service } = openShop({ url: server.url, service: { redirects: 'follow' } });
    const get = operation(service, { route: 'GET /a', response, timeoutMs: 5_000 });
    await call(get, {}, undefined);
    const [first, second] = server.requests.map(({ headers }) =>
      Number(headers['x-request-timeout-ms']),
    );
    expect(first).toBe(5_000);
    expect(second).toBeGreaterThan(0);
    expect(second).toBeLessThanOrEqual(4_950);
  });

  it('is named when the service hangs after it', async () => {
    const counts: number[] = [];
    const endings: Ending[] = [];
    const server = await startServer((request, answer) => {
      if (request.url !== '/c')
        answer
          .writeHead(302, { location: `${request.url}`.replace('/b', '/c').replace('/a', '/b') })
          .end();
    });
    const { call, service } = openShop({
      url: server.url,
      service: { redirects: 'follow' },
      watchAttempt: () => ({
        onRedirect: (count) => void counts.push(count),
        onEnd: (ending) => void endings.push(ending),
      }),
    });
    const get = operation(service, { name: 'get', route: 'GET /a', response, timeoutMs: 100 });
    const error = await failureOf(call(get, {}, undefined));
    expect(error.kind).toBe('timeout');
    expect(error.message).toBe(
      'shop.get: did not answer within 100 ms, in which it redirected 2 times',
    );
    expect(counts).toEqual([1, 2]);
    expect(endings).toHaveLength(1);
  });

  it('is cancelled with its request', async () => {
    const closed = Promise.withResolvers<void>();
    const server = await startServer((request, answer) => {
      if (request.url === '/a') answer.writeHead(302, { location: '/b' }).end();
      else answer.once('close', closed.resolve);
    });
    const { call, service, request } = openShop({
      url: server.url,
      service: { redirects: 'follow' },
    });
    const get = operation(service, { route: 'GET /a', response, coalesce: false });
    const reason = reasonOf(call(get, {}, undefined));
    while (server.requests.length < 2) await turn();
    const left = new Error('left');
    request.abort(left);
    expect(await reason).toBe(left);
    await closed.promise;
  });
});

describe('a redirect that is not followed', () => {
  const loop: Redirects = { '/a': [302, '/b'], '/b': [302, '/a'] };
  const long: Redirects = {
    '/a': [302, '/b'],
    '/b': [302, '/c'],
    '/c': [302, '/d'],
    '/d': [307, '/e'],
  };
  const below = 'which is not below the address that was asked';

  it.each<[string, Redirects, string, number]>([
    ['to itself', { '/a': [301, '/a'] }, 'answered 301 to /a, which was asked already', 1],
    ['in a loop', loop, 'answered 302 to /a, which was asked already', 2],
    ['too often', long, 'answered 307 to /e after 3 redirects, the most that are followed', 4],
    [
      'to another origin',
      { '/a': [302, 'https://login.example/in?code=1'] },
      `answered 302 to https://login.example, ${below}`,
      1,
    ],
    ['to another scheme', { '/a': [302, 'ftp://x/a'] }, `answered 302 to ftp://x, ${below}`, 1],
    [
      'to a path that may be another',
      { '/a': [302, '/b/..%2fc'] },
      `answered 302 to /b/..%2fc, ${below}`,
      1,
    ],
    ['nowhere', { '/a': [302] }, 'answered 302 without a Location', 1],
    ['to several choices', { '/a': [300, '/b'] }, 'answered 300', 1],
    ['to a cache', { '/a': [304, '/b'] }, 'answered 304', 1],
  ])('fails if it leads %s', async (_, redirects, message, requests) => {
    const { call, get, server } = await start(redirects);
    const error = await failureOf(call(get(), {}, undefined));
    expect(error).toMatchObject({ kind: 'status', message: `shop.get: ${message}` });
    expect(server.requests).toHaveLength(requests);
  });

  it('fails if it leads out of the prefix', async () => {
    const { call, get, server } = await start({ '/v2/a': [302, '/admin'] }, { prefix: '/v2' });
    const { message } = await failureOf(call(get(), {}, undefined));
    expect(message).toBe(`shop.get: answered 302 to /admin, ${below}`);
    expect(server.requests).toHaveLength(1);
  });

  it.each<[string, object]>([
    ['a service that does not say so', { service: { redirects: 'error' } }],
    ['an operation that says it is not', { own: { redirects: 'error' } }],
  ])('is one of %s', async (_, { service, own }: { service?: object; own?: object }) => {
    const { call, get, targets } = await start(
      { '/a': [302, '/b?c=d'] },
      { service: service ?? {} },
    );
    const error = await failureOf(call(get(own), {}, undefined));
    expect(error).toMatchObject({ kind: 'status', status: 302 });
    expect(error.message).toBe('shop.get: answered 302 to /b, which is not followed');
    expect(targets()).toEqual(['/a']);
  });

  it.each<[string, Auth | undefined, string]>([
    ['a token', bearer({ env: 'KEY' }), '/Zm9v-key/x'],
    [
      'a key in other case and encoded twice',
      apiKey({ env: 'KEY' }, { query: 'k' }),
      '/zm9v%252Dkey',
    ],
    ['a password', basic({ user: 'me', password: { env: 'KEY' } }), '/login/Zm9v-key'],
    ['a pair in Base64', basic({ user: 'me', password: { env: 'KEY' } }), '/bWU6Wm05di1rZXk='],
    ['a host of its own', bearer({ env: 'KEY' }), 'http://zm9v-key.example/'],
    ['a scheme of its own', bearer({ env: 'KEY' }), 'zm9v-key:x'],
    ['a constant header', undefined, '/own/constant'],
    ['a credential of the client', undefined, '/session/client-token'],
  ])('does not show an address that repeats %s', async (_, auth, location) => {
    const texts: Readonly<Record<string, string>> = { KEY: 'Zm9v-key', OWN: 'constant' };
    const server = await startServer((_request, answer) => {
      answer.writeHead(302, { location }).end();
    });
    const { call, service } = openShop({
      url: server.url,
      service: { ...(auth && { auth }), headers: { 'x-own': { env: 'OWN' } }, forward: ['cookie'] },
      headers: { cookie: 'a=b; sid="client-token"' },
      environment: texts,
      secrets: (source) => ({
        text: () => ('env' in source && texts[source.env]) || '',
        lookAgain: async () => undefined,
      }),
    });
    const get = operation(service, { name: 'get', route: 'GET /a', response });
    const { message } = await failureOf(call(get, {}, undefined));
    expect(message).toBe(
      'shop.get: answered 302 to an address that repeats a credential, which is not followed',
    );
  });

  it('is one of a write, and of a read by POST', async () => {
    const { call, service, targets } = await start({ '/a': [303, '/b'] });
    const post = { route: 'POST /a', response: ignoredBody } as const;
    const write = operation(service, { ...post, name: 'write' });
    const read = operation(service, { ...post, name: 'read', safe: true });
    const messages = [
      await failureOf(call(write, {}, undefined)),
      await failureOf(call(read, {}, undefined)),
    ].map(({ message }) => message);
    expect(messages).toEqual([
      'shop.write: answered 303 to /b, which is not followed',
      'shop.read: answered 303 to /b, which is not followed',
    ]);
    expect(targets()).toEqual(['/a', '/a']);
  });

  it('is neither asked for again nor counted against the service', async () => {
    const { call, get, server, upstreams } = await start(
      { '/a': [302, 'http://elsewhere.example/'] },
      { service: { retry: { times: 3 }, breaker: { volume: 1 } } },
    );
    for (const _ of [1, 2, 3]) await failureOf(call(get({ coalesce: false }), {}, undefined));
    expect(server.requests.length).toBeLessThanOrEqual(3);
    expect(upstreams.status()[0]?.breaker).toBe('closed');
  });
});
