import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startMocks } from '../mocks/server.ts';
import { defineComposition } from '../src/dsl/composition.ts';
import { call } from '../src/dsl/steps.ts';
import { neverSheds } from '../src/edge/overload.ts';
import { ConfigurationError } from '../src/errors.ts';
import { createGateway } from '../src/gateway.ts';
import type { GatewayOptions } from '../src/gateway-options.ts';
import { listen } from '../src/listen.ts';
import { compile } from '../src/plan/compile.ts';
import { unobserved } from '../src/telemetry/telemetry.ts';
import { createMemoryStore } from '../src/upstream/caching/memory-store.ts';
import { systemClock } from '../src/clock.ts';
import { addressesOf } from './support/addresses.ts';
import { part } from './support/serve.ts';
import { shippedPlans } from './support/shipped.ts';
import { environmentOf } from './support/gateway-with-mocks.ts';
import { startUpstream } from './support/upstream.ts';

/** The shipped compositions, without a socket of the gateway's own. */
async function shipped(options: Partial<GatewayOptions> = {}) {
  const mocks = await startMocks();
  onTestFinished(() => mocks.close());
  const plans = await shippedPlans();
  const addresses = addressesOf(plans, environmentOf(mocks));
  const gateway = createGateway({ plans, addresses, ...options });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return gateway;
}

/** A gateway that asks a service for one part. */
async function asking() {
  const upstream = await startUpstream();
  const composition = defineComposition({
    route: 'GET /test',
    compose: () => ({ a: call(part, { name: 'a' }) }),
  });
  const plans = [compile({ name: 'test', composition })];
  const gateway = createGateway({
    plans,
    addresses: addressesOf(plans, { UPSTREAM_URL: upstream.url }),
  });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return { upstream, ...gateway };
}

describe('a gateway without sockets', () => {
  it('answers what its app is asked', async () => {
    const { app } = await shipped();
    const response = await app.request('/orders/ord_1001/summary');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toHaveProperty('order');
  });

  it('answers with problems, 405, OPTIONS and HEAD as over sockets', async () => {
    const { app } = await shipped();
    const path = '/orders/ord_1001/summary';
    const lost = await app.request('/nothing');
    expect([lost.status, await lost.json()]).toMatchObject([404, { instance: '/nothing' }]);
    const wrong = await app.request(path, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect((await app.request(path, { method: 'OPTIONS' })).status).toBe(204);
    const head = await app.request(path, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await app.request('/orders/%zz/summary')).status).toBe(400);
  });

  it('gives up what nobody waits for any more', async () => {
    const { app, upstream } = await asking();
    const leaving = new AbortController();
    const response = app.request('/test', { signal: leaving.signal });
    const { abandoned } = await upstream.next('GET /parts/a');
    leaving.abort();
    expect((await response).status).toBe(499);
    await abandoned;
  });

  it('does not begin for a client that has left already', async () => {
    const { app, upstream } = await asking();
    const response = await app.request('/test', { signal: AbortSignal.abort() });
    expect(response.status).toBe(499);
    expect(upstream.asked()).toEqual([]);
  });

  it('has a management side, for loopback hosts only', async () => {
    const { admin } = await shipped();
    const response = await admin.request('http://127.0.0.1/upstreams');
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { upstreams: [{}, {}, {}] },
    ]);
    expect((await admin.request('http://evil.example/upstreams')).status).toBe(421);
  });

  it('says how it is doing, and that it is not ready any more once it drains', async () => {
    const { app, status, drain } = await shipped();
    expect(status()).toMatchObject({ ready: true, upstreams: [{ breaker: 'closed' }, {}, {}] });
    drain();
    expect(status().ready).toBe(false);
    expect((await app.request('/readyz')).status).toBe(503);
    expect((await app.request('/livez')).status).toBe(200);
    expect((await app.request('/orders/ord_1001/summary')).status).toBe(200);
  });

  it('disposes of all that it was given, once, telemetry last', async () => {
    const closed: string[] = [];
    const store = createMemoryStore({ clock: systemClock });
    const gateway = createGateway({
      plans: [],
      addresses: new Map(),
      overload: { ...neverSheds, close: () => void closed.push('overload') },
      cacheStore: { ...store, close: async () => void closed.push('cache') },
      telemetry: { ...unobserved, shutdown: async () => void closed.push('telemetry') },
    });
    await gateway[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    expect(closed).toEqual(['overload', 'cache', 'telemetry']);
  });

  it('is disposed of when it cannot listen', async () => {
    const taken = await listen(createGateway({ plans: [], addresses: new Map() }), {
      host: '127.0.0.1',
      port: 0,
    });
    onTestFinished(() => taken.close());
    const closed: string[] = [];
    const gateway = createGateway({
      plans: [],
      addresses: new Map(),
      overload: { ...neverSheds, close: () => void closed.push('overload') },
    });
    const port = Number(new URL(taken.url).port);
    await expect(listen(gateway, { host: '127.0.0.1', port })).rejects.toThrow(ConfigurationError);
    expect(closed).toEqual(['overload']);
  });
});

/** The gateway under `/api`, beside a route of the app's own. */
async function mounted() {
  const gateway = await shipped();
  return new Hono()
    .get('/hello', (c) => c.text('hello'))
    .route('/api', gateway.app)
    .notFound((c) => c.text('not ours', 404));
}

describe('a gateway mounted in a Hono app', () => {
  it('serves its compositions under the path, and leaves the app its own routes', async () => {
    const host = await mounted();
    expect((await host.request('/api/orders/ord_1001/summary')).status).toBe(200);
    expect((await host.request('/api/livez')).status).toBe(200);
    expect(await (await host.request('/hello')).text()).toBe('hello');
    expect(await (await host.request('/orders/ord_1001/summary')).text()).toBe('not ours');
  });

  it('answers with its own problems, which say the whole path', async () => {
    const host = await mounted();
    const lost = await host.request('/api/orders/none/summary');
    expect([lost.status, await lost.json()]).toMatchObject([
      404,
      { instance: '/api/orders/none/summary', step: 'order' },
    ]);
    const nothing = await host.request('/api/nothing');
    expect([nothing.status, await nothing.json()]).toMatchObject([
      404,
      { instance: '/api/nothing' },
    ]);
    const wrong = await host.request('/api/orders/ord_1001/summary', { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it.each([
    ['/', '/livez', 200],
    ['/', '/orders/livez', 421],
    ['/api', '/api/livez', 200],
    ['/api', '/api/readyz', 200],
    ['/api', '/api/orders/livez', 421],
    ['/shops/:shop', '/shops/a/readyz', 200],
    ['/shops/:shop', '/shops/a/readyz/readyz', 421],
  ])('at %s answers %s with %d where it serves another host', async (path, asked, status) => {
    const gateway = await shipped({ edge: { allowedHosts: ['shop.example'] } });
    const host = new Hono().route(path, gateway.app);
    expect((await host.request(asked)).status).toBe(status);
  });

  it('is not asked for what is not under the path', async () => {
    const host = await mounted();
    const { headers } = await host.request('/hello');
    expect(headers.has('x-request-id')).toBe(false);
  });
});
