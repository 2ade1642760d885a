import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import { createUpstreams } from '../../src/upstream/upstreams.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startServer, startSocketServer } from '../support/servers.ts';
import {
  callWith,
  callerOf,
  failureOf,
  openShop,
  traceNamed,
  turn,
} from '../support/upstream-calls.ts';

/** Headers of clients that must not reach services. */
const clientHeaders = {
  authorization: 'Bearer secret',
  cookie: 'session=secret',
  host: 'gateway.example',
  connection: 'close, x-private',
  'x-private': 'secret',
  'x-forwarded-for': '10.0.0.1',
  'x-forwarded-host': 'evil',
  'x-real-ip': '10.0.0.1',
  forwarded: 'for=10.0.0.1',
  'proxy-authorization': 'secret',
  'x-request-timeout-ms': '1',
  'accept-language': 'de',
  'x-tenant': 'blue',
  te: 'trailers',
  'user-agent': 'curl',
};

async function sent(options: { service?: readonly string[]; own?: readonly string[] }) {
  const { url, requests } = await startServer();
  const { service, call } = openShop({
    url,
    headers: clientHeaders,
    clock: createFakeClock(),
    service: { forward: options.service ?? [] },
  });
  const getOrder = operation(service, {
    route: 'GET /',
    response: z.null(),
    ...(options.own && { forward: options.own }),
  });
  await call(getOrder, {}, undefined);
  const { host, connection, ...headers } = requests[0]?.headers ?? {};
  expect([host, connection]).toEqual([new URL(url).host, 'keep-alive']);
  return headers;
}

describe('the headers of a request to a service', () => {
  const ours = { accept: 'application/json', 'x-request-timeout-ms': '3000' };

  it('leave out headers of the client that are not listed', async () => {
    expect(await sent({})).toEqual(ours);
  });

  it('contain headers that service or operation list, in any spelling, and no others', async () => {
    expect(await sent({ service: ['X-Tenant'], own: ['Authorization', 'x-missing'] })).toEqual({
      ...ours,
      'x-tenant': 'blue',
      authorization: 'Bearer secret',
    });
  });

  it('may replace the accept header by a forwarded one', async () => {
    expect(await sent({ service: ['accept-language'] })).toMatchObject({ 'accept-language': 'de' });
  });

  it('give the time that an attempt has, in whole milliseconds', async () => {
    const { url, requests } = await startServer();
    const clock = createFakeClock({ startAt: 1_000 });
    const { service, open, call } = openShop({ url, clock, deadlineInMs: 2_000.9 });
    const get = (route: 'GET /a' | 'GET /b') => operation(service, { route, response: z.null() });
    await call(get('GET /a'), {}, undefined);
    clock.advance(1_999);
    await call(get('GET /b'), {}, undefined);
    await open()(get('GET /a'), {}, undefined);
    expect(requests.map(({ headers }) => headers['x-request-timeout-ms'])).toEqual([
      '2000',
      '1',
      '2000',
    ]);
  });

  it('never give a negative time', async () => {
    const { url, requests } = await startServer();
    const clock = createFakeClock();
    const { service, call } = openShop({ url, clock, deadlineInMs: 5 });
    clock.advance(100);
    await call(operation(service, { route: 'GET /', response: z.null() }), {}, undefined);
    expect(requests[0]?.headers['x-request-timeout-ms']).toBe('0');
  });
});

describe('the addresses of a service', () => {
  it.each([
    ['', '/orders/7?all=true'],
    ['/', '/orders/7?all=true'],
    ['/v2', '/v2/orders/7?all=true'],
    ['/v2/', '/v2/orders/7?all=true'],
    ['/a%2Fb/c//', '/a%2Fb/c/orders/7?all=true'],
  ])('put their path %j before every route', async (prefix, target) => {
    const { url, requests } = await startServer();
    const { service, call } = openShop({ url: url + prefix });
    const query = z.object({ all: z.boolean() });
    const getOrder = operation(service, { route: 'GET /orders/:id', query, response: z.null() });
    await call(getOrder, { id: 7, all: true }, undefined);
    expect(requests[0]?.target).toBe(target);
  });

  it('come from the environment if the service says so', async () => {
    const { url, requests } = await startServer();
    const { service, call } = openShop({
      url: { env: 'SHOP_URL' },
      environment: { SHOP_URL: url },
    });
    await call(operation(service, { route: 'GET /a', response: z.null() }), {}, undefined);
    expect(requests.map(({ target }) => target)).toEqual(['/a']);
  });
});

describe('the pipeline of calls', () => {
  it('calls a real service once for equal calls, and again for the next request', async () => {
    const { url, requests } = await startServer();
    const { service, open } = openShop({ url });
    const getOrder = operation(service, { route: 'GET /orders/:id', response: z.null() });
    const [first, second] = [open(), open()];
    await Promise.all([
      first(getOrder, { id: 7 }, undefined),
      first(getOrder, { id: 7 }, undefined),
    ]);
    await second(getOrder, { id: 7 }, undefined);
    expect(requests.length).toBe(2);
  });

  it('shows every dispatch to aroundCall, and every attempt with its end to the hook', async () => {
    const { url } = await startServer();
    const log: [string, unknown, string | undefined][] = [];
    const { service, call } = openShop({
      url,
      aroundCall: (next) => (one) => {
        log.push(['call', one.trace, undefined]);
        return next(one);
      },
      watchAttempt: (one) => {
        log.push(['attempt', one.trace, one.address.origin]);
        return {
          onEnd: ({ failure, status }) => log.push(['ended', failure, String(status)]),
        };
      },
    });
    await call(operation(service, { route: 'GET /', response: z.null() }), {}, traceNamed('step'));
    expect(log).toEqual([
      ['call', 'step', undefined],
      ['attempt', 'step', url],
      ['ended', undefined, '200'],
    ]);
  });

  it('lets through as many calls as the bulkhead has permits', async () => {
    const inside: ServerResponse[] = [];
    let most = 0;
    const { url } = await startServer(async (_, response) => {
      inside.push(response);
      most = Math.max(most, inside.length);
      if (inside.length < 3) return;
      await turn().then(turn).then(turn); // time for a fourth
      for (const one of inside.splice(0)) one.end('null');
    });
    const { service, call } = openShop({
      url,
      clock: createFakeClock(),
      service: { bulkhead: { concurrency: 3, queue: 20 } },
    });
    const getOrder = operation(service, { route: 'GET /:id', response: z.null() });
    await Promise.all(Array.from({ length: 21 }, (_, id) => call(getOrder, { id }, undefined)));
    expect(most).toBe(3);
  });

  it('protects other services from one that hangs', async () => {
    const hanging = await startSocketServer(() => undefined);
    const healthy = await startServer();
    const clock = createFakeClock();
    const bulkhead = { concurrency: 1, queue: 0 };
    const slow = openShop({ url: hanging.url, clock, service: { name: 'slow', bulkhead } });
    const services = [
      slow.service,
      defineService({ name: 'healthy', url: healthy.url, bulkhead }),
    ] as const;
    const { addresses } = parseSettings({}, services);
    const upstreams = createUpstreams({ services, addresses, clock });
    const request = new AbortController();
    const call = callWith(upstreams.open(callerOf({ signal: request.signal })));
    const [stuck, refused, fine] = [services[0], services[0], services[1]].map((service, id) =>
      call(operation(service, { route: 'GET /:id', response: z.null() }), { id }, undefined),
    );
    const ended = stuck?.catch((error: unknown) => error);
    expect((await failureOf(refused ?? Promise.reject())).kind).toBe('overloaded');
    expect(await fine).toMatchObject({ value: null });
    request.abort(new Error('over'));
    expect(await ended).toEqual(new Error('over'));
    await upstreams.close();
    await Promise.all([hanging.allClosed(), healthy.allClosed()]);
  });

  it('rejects calls to services that were not opened', async () => {
    const { call } = openShop({});
    const other = defineService({ name: 'other', url: 'http://127.0.0.1:9' });
    const getOrder = operation(other, { route: 'GET /', response: z.null() });
    await expect(call(getOrder, {}, undefined)).rejects.toThrow('service "other" was not opened');
  });
});

describe('closing the upstreams', () => {
  it('leaves no socket, idle or busy, and fails calls in flight', async () => {
    const server = await startSocketServer((socket, text) => {
      if (text.includes('/fine')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1');
    });
    const { service, call, upstreams } = openShop({ url: server.url });
    const get = (route: 'GET /fine' | 'GET /hang') =>
      call(operation(service, { route, response: z.unknown() }), {}, undefined);
    const hanging = failureOf(get('GET /hang'));
    await get('GET /fine');
    expect(server.open.size).toBe(2);
    await upstreams.close();
    expect((await hanging).kind).toBe('aborted');
    await server.allClosed();
    await turn();
    expect(server.accepted).toBe(2);
  });

  it('leaves no socket that is being connected', async () => {
    const server = await startSocketServer(() => undefined);
    const { service, call, upstreams } = openShop({ url: server.url });
    const getOrder = operation(service, { route: 'GET /', response: z.unknown() });
    const failure = failureOf(call(getOrder, {}, undefined));
    await Promise.resolve();
    await upstreams.close();
    expect((await failure).kind).toBe('aborted');
    await server.allClosed();
    expect(server.requests).toEqual([]);
  });

  it('resolves at once when nothing was opened', async () => {
    const server = await startServer();
    await openShop({ url: server.url }).upstreams.close();
    expect(server.accepted).toBe(0);
  });

  it('makes later calls fail', async () => {
    const server = await startServer();
    const { service, call, upstreams } = openShop({ url: server.url });
    await upstreams.close();
    const getOrder = operation(service, { route: 'GET /', response: z.unknown() });
    expect((await failureOf(call(getOrder, {}, undefined))).kind).toBe('aborted');
    expect(server.accepted).toBe(0);
  });
});
