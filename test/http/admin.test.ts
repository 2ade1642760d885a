import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startGateway } from '../support/gateway.ts';
import { systemClock } from '../../src/clock.ts';
import { defineComposition } from '../../src/dsl/composition.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import type { ServiceConfig } from '../../src/dsl/service.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { adminRoutes } from '../../src/http/admin.ts';
import { createApp } from '../../src/http/app.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { optional } from '../../src/dsl/guards.ts';
import { call } from '../../src/dsl/steps.ts';
import { keptPart, serve, value } from '../support/serve.ts';
import { startUpstream } from '../support/upstream.ts';
import type { Upstream } from '../support/upstream.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { request } from '../support/request.ts';
import { raw } from '../support/raw-http.ts';

const ping = defineComposition({ route: 'GET /ping', compose: () => ({ pong: true }) });

/** A gateway with a management side, and a way to ask that. */
async function startManaged() {
  const app = await startWithMocks({ compositions: { ping }, adminPort: 0 });
  const admin = (path: string, init?: RequestInit) => request(`${app.adminUrl}${path}`, init);
  return { ...app, admin, invalidate: (body: unknown) => admin('/cache/invalidate', post(body)) };
}

function post(body: unknown, type = 'application/json'): RequestInit {
  return { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(body) };
}

describe('POST /cache/invalidate', () => {
  it('says how many answers were dropped', async () => {
    const { invalidate } = await startManaged();
    const { status, headers, json } = await invalidate({ tags: ['orders'] });
    expect({ status, json }).toEqual({ status: 200, json: { invalidated: 0 } });
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('makes the gateway ask again for answers with the tag, and for no others', async () => {
    const app = await serve(() => ({ a: call(keptPart, { name: 'a' }) }), { managed: true });
    app.upstream.answerAll(() => value('A'));
    const drop = (tag: string) =>
      request(`${app.adminUrl}/cache/invalidate`, post({ tags: [tag] }));
    await app.ask();
    expect((await drop('others')).json).toEqual({ invalidated: 0 });
    await app.ask();
    expect(app.upstream.asked()).toHaveLength(1);
    expect((await drop('parts')).json).toEqual({ invalidated: 1 });
    await app.ask();
    expect(app.upstream.asked()).toHaveLength(2);
  });

  it('asks for every tag once', async () => {
    const asked: (readonly string[])[] = [];
    const response = await answerWith(async (tags) => asked.push(tags) * 7);
    expect(await response.json()).toEqual({ invalidated: 7 });
    expect(asked).toEqual([['orders', 'a.b:c-d_1']]);
  });

  it('is answered with a 503 that says so when a part of the store cannot be reached', async () => {
    const response = await answerWith(() => Promise.reject(new Error('canary-4711')));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      type: 'urn:plait:problem:unavailable',
      detail: 'A part of the cache could not be reached, so its answers remain. Try again.',
    });
    expect(text).not.toContain('canary-4711');
  });

  it.each([
    ['no tags', {}, ['/tags']],
    ['an empty list', { tags: [] }, ['/tags']],
    ['too many', { tags: Array.from({ length: 1_001 }, (_, n) => `t${n}`) }, ['/tags']],
    ['text', { tags: 'orders' }, ['/tags']],
    ['tags that are none', { tags: ['ok', '', 7, 'a b', 'x'.repeat(65)] }, tagsAt(1, 2, 3, 4)],
    ['what is not known', { tags: ['a'], tag: 'b', all: true }, ['/tag', '/all']],
    ['several mistakes', { tags: ['*'], tag: 'b' }, ['/tags/0', '/tag']],
    ['a list', ['orders'], ['']],
    ['null', null, ['']],
  ])('refuses %s with an entry for every bad field', async (_, body, pointers) => {
    const { invalidate } = await startManaged();
    const { status, headers, json } = await invalidate(body);
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(json).toMatchObject({
      type: 'urn:plait:problem:invalid-request',
      instance: '/cache/invalidate',
    });
    expect(json.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual(
      pointers.toSorted(),
    );
    expect(json.errors.every((error: { in: string }) => error.in === 'body')).toBe(true);
  });

  it('refuses a body that is not JSON, by type and by content', async () => {
    const { admin } = await startManaged();
    const { status } = await admin('/cache/invalidate', post({ tags: ['a'] }, 'text/plain'));
    expect(status).toBe(415);
    const broken = { ...post({}), body: '{"tags":' };
    expect((await admin('/cache/invalidate', broken)).status).toBe(400);
  });

  it('is the one thing there', async () => {
    const { admin } = await startManaged();
    const other = await admin('/cache/invalidate');
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
    expect(other.json).toMatchObject({ type: 'urn:plait:problem:method-not-allowed' });
    const nowhere = await admin('/cache');
    expect([nowhere.status, nowhere.json.type]).toEqual([404, 'urn:plait:problem:not-found']);
    expect((await admin('/ping')).status).toBe(404);
  });

  it('is not on the public port', async () => {
    const { get } = await startManaged();
    expect((await get('/cache/invalidate', post({ tags: ['orders'] }))).status).toBe(404);
    expect((await get('/ping')).status).toBe(200);
  });
});

describe('GET /upstreams', () => {
  it('shows the state of every service', async () => {
    const [one, other] = [await startUpstream(), await startUpstream()];
    const clock = createFakeClock();
    const calm = getFrom('calm', { url: one.url });
    const broken = getFrom('broken', { url: one.url, breaker: { volume: 1 } });
    const url = `${one.url},${other.url}`;
    const split = getFrom('split', { url, ejection: { failures: 1 }, breaker: false });
    const crowded = getFrom('crowded', { url: one.url, bulkhead: { concurrency: 1 } });
    const probe = defineComposition({
      route: 'GET /probe',
      compose: () => ({
        calm: call(calm, { id: '1' }),
        broken: optional(call(broken, { id: '1' })),
        split: optional(call(split, { id: '1' })),
      }),
    });
    const crowd = defineComposition({
      route: 'GET /crowd',
      compose: () => ['1', '2', '3'].map((id) => call(crowded, { id })),
    });
    const app = await startWithMocks({ compositions: { probe, crowd }, clock, adminPort: 0 });
    const probed = app.get('/probe');
    await one.answer('GET /calm/1', value('x'));
    await one.answer('GET /broken/1', {}, 500);
    // Which of two addresses it is decides chance, which always says the same here.
    await other.answer('GET /split/1', {}, 503);
    await probed;
    const crowding = app.get('/crowd');
    const first = await one.next('GET /crowded/1');

    const upstreams = async () => {
      const { status, headers, json } = await request(`${app.adminUrl}/upstreams`);
      expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
      return json.upstreams;
    };
    const idle = { inFlight: 0, waiting: 0 };
    expect(await upstreams()).toMatchObject([
      { service: 'calm', breaker: 'closed', bulkhead: idle, endpoints: [endpoint(one)] },
      { service: 'broken', breaker: 'open', bulkhead: idle, endpoints: [endpoint(one)] },
      {
        service: 'split',
        breaker: 'off',
        bulkhead: idle,
        endpoints: [endpoint(one), endpoint(other, 'ejected')],
      },
      {
        service: 'crowded',
        breaker: 'closed',
        bulkhead: { inFlight: 1, waiting: 2 },
        endpoints: [endpoint(one, 'used', 1)],
      },
    ]);

    first.answer(value('1'));
    await one.answer('GET /crowded/2', value('2'));
    await one.answer('GET /crowded/3', value('3'));
    expect((await crowding).status).toBe(200);
    clock.advance(30_000);
    expect(await upstreams()).toMatchObject([
      { breaker: 'closed', breakerSince: timeAt(0) },
      { breaker: 'half-open', breakerSince: timeAt(5_000) },
      {
        endpoints: [
          { state: 'used', since: timeAt(0) },
          { state: 'used', since: timeAt(30_000) },
        ],
      },
      { bulkhead: idle, endpoints: [{ inFlight: 0 }] },
    ]);
  });

  it('shows at first glance that a service is dead after three requests', async () => {
    const clock = createFakeClock();
    const [alive, { url }] = [await startUpstream(), await startUpstream()];
    const dead = url.replace(/:\d+$/, ':9');
    const [gone, well] = [getFrom('gone', { url: dead }), getFrom('well', { url: alive.url })];
    alive.answerAll(() => value('x'));
    const probe = defineComposition({
      route: 'GET /probe',
      compose: () => ({ gone: optional(call(gone, { id: 's' })), well: call(well, { id: 's' }) }),
    });
    const unused = getFrom('unused', { url: alive.url });
    const rest = defineComposition({
      route: 'GET /rest',
      compose: () => ({ rest: call(unused, { id: '1' }) }),
    });
    const app = await startWithMocks({ compositions: { probe, rest }, clock, adminPort: 0 });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    for (const _ of [1, 2, 3]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await app.get('/probe', { headers: { traceparent } });
    }
    const { json } = await request(`${app.adminUrl}/upstreams`);
    const error = {
      kind: 'connect',
      code: 'ECONNREFUSED',
      operation: 'gone.get',
      address: '127.0.0.1:9',
      at: timeAt(0),
      traceId: expect.stringMatching(/^[\da-f]{32}$/),
    };
    expect(json.upstreams).toMatchObject([
      {
        service: 'gone',
        attempts: { windowMs: 60_000, total: 3, failed: 3, failedShare: 1 },
        lastError: error,
        endpoints: [{ lastError: error }],
      },
      { service: 'well', attempts: { total: 3, failed: 0, failedShare: 0 } },
      { service: 'unused', attempts: { total: 0, p50Ms: null, p95Ms: null } },
    ]);
    expect(json.upstreams[1]).not.toHaveProperty('lastError');
  });

  it('is not on the public port', async () => {
    const { get } = await startManaged();
    expect((await get('/upstreams')).status).toBe(404);
  });
});

describe('the management side', () => {
  it('answers requests for loopback hosts only, against DNS rebinding', async () => {
    const { adminUrl = '' } = await startWithMocks({ compositions: {}, adminPort: 0 });
    const ask = (host: string) =>
      raw(adminUrl, `GET /upstreams HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    const evil = await ask('evil.example');
    expect([evil.status, JSON.parse(evil.body).type]).toEqual([
      421,
      'urn:plait:problem:misdirected-request',
    ]);
    for (const host of ['127.0.0.1', 'localhost:8081', '[::1]:8081']) {
      expect((await ask(host)).status).toBe(200);
    }
  });

  it('logs a warning for a host that is not this machine', async () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', format: 'json', write: (line) => lines.push(line) });
    const accessLog = { log, headers: [], withCauses: false };
    const { adminUrl = '' } = await startWithMocks({ compositions: {}, adminPort: 0, accessLog });
    await raw(
      adminUrl,
      'GET /upstreams HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n',
    );
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warn', status: 421, message: 'GET (no route) 421' },
    ]);
  });

  it('has health checks, too', async () => {
    const { admin } = await startManaged();
    for (const path of ['/livez', '/readyz']) expect((await admin(path)).status).toBe(200);
  });

  it('listens on the loopback address only', async () => {
    const { adminUrl = '' } = await startManaged();
    const { hostname, port } = new URL(adminUrl);
    expect(hostname).toBe('127.0.0.1');
    // Linux answers on all of 127.0.0.0/8 what listens everywhere.
    const socket = connect(Number(port), '127.0.0.2');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('lets in from everywhere who has its token, and nobody else, where it has one', async () => {
    let token = 'a'.repeat(32);
    const { adminUrl = '' } = await startWithMocks({
      compositions: { ping },
      adminPort: 0,
      adminHost: '0.0.0.0',
      adminToken: () => token,
    });
    const ask = (authorization: string, path = '/upstreams') =>
      raw(
        `http://127.0.0.1:${portOf(adminUrl)}`,
        `GET ${path} HTTP/1.1\r\nhost: gateway.internal:9000\r\n${authorization}connection: close\r\n\r\n`,
      );
    const known = `authorization: Bearer ${token}\r\n`;
    expect((await ask(known)).status).toBe(200);
    expect((await ask(known.replace('Bearer', 'bearer'))).status).toBe(200);
    for (const wrong of [
      '',
      'authorization: \r\n',
      `authorization: Basic ${token}\r\n`,
      'authorization: Bearer\r\n',
      `authorization: Bearer ${token}a\r\n`,
      `authorization: Bearer ${token.slice(1)}\r\n`,
      `authorization: Bearer ${token.slice(1)}é\r\n`,
      `authorization: Bearer ${token} ${token}\r\n`,
      `${known}${known}`,
    ]) {
      const { status, headers, body } = await ask(wrong);
      expect([wrong, status, headers['www-authenticate']]).toEqual([
        wrong,
        401,
        'Bearer realm="plait-admin"',
      ]);
      expect(JSON.parse(body)).toMatchObject({ type: 'urn:plait:problem:unauthenticated' });
      expect(body).not.toContain(token.slice(1));
    }
    expect((await ask('', '/nothing')).status).toBe(401);
    expect((await ask('', '/readyz')).status).toBe(200);
    token = 'b'.repeat(32);
    expect((await ask(known)).status).toBe(401);
    expect((await ask(`authorization: Bearer ${token}\r\n`)).status).toBe(200);
  });

  it('is not opened unless a port is given', async () => {
    expect((await startWithMocks({ compositions: { ping } })).adminUrl).toBeUndefined();
  });

  it('says that the gateway is stopping until it has stopped', async () => {
    const app = await serve(() => ({ a: call(keptPart, { name: 'a' }) }), { managed: true });
    const answer = app.ask();
    const inFlight = await app.upstream.next('GET /kept/a');
    const closed = app.close(60_000);
    expect((await request(`${app.adminUrl}/readyz`)).status).toBe(503);
    inFlight.answer(value('A'));
    expect((await answer).status).toBe(200);
    await closed;
  });

  it('is closed with the gateway', async () => {
    const { close, adminUrl } = await startManaged();
    await close();
    await expect(fetch(`${adminUrl}/livez`)).rejects.toThrow(TypeError);
  });

  it('names its variable when the port is taken, and leaves nothing behind', async () => {
    const { adminUrl = '', url } = await startManaged();
    const options = {
      plans: [],
      host: '127.0.0.1',
      addresses: new Map(),
      onInternalError: () => undefined,
    };
    const taken = startGateway({ ...options, port: 0, adminPort: portOf(adminUrl) });
    await expect(taken).rejects.toThrow(ConfigurationError);
    await expect(taken).rejects.toThrow('Set ADMIN_PORT and ADMIN_HOST to');
    // Where the public port is taken, the management side must not go on alone.
    const free = await startWithMocks({ compositions: {}, adminPort: 0 });
    const adminPort = portOf(free.adminUrl ?? '');
    await free.close();
    const other = startGateway({ ...options, port: portOf(url), adminPort });
    await expect(other).rejects.toThrow('Set PORT and HOST to');
    await expect(fetch(`http://127.0.0.1:${adminPort}/livez`)).rejects.toThrow(TypeError);
  });
});

/** The answer to an invalidation of three tags, two of them the same. */
async function answerWith(invalidate: (tags: readonly string[]) => Promise<number>) {
  const app = createApp({
    clock: systemClock,
    watchers: [],
    outerLayers: [],
    layers: [],
    routes: adminRoutes({ invalidate, status: () => [] }),
    readiness: () => 'ok',
    onInternalError: () => undefined,
  });
  return app.request('/cache/invalidate', post({ tags: ['orders', 'a.b:c-d_1', 'orders'] }));
}

/** `GET /<name>/:id` of a service of that name. */
function getFrom(name: string, config: Omit<ServiceConfig, 'name'>) {
  const service = defineService({ name, retry: false, ...config });
  const response = z.object({ value: z.string() });
  return operation(service, { name: 'get', route: `GET /${name}/:id` as 'GET /:id', response });
}

function endpoint({ url }: Upstream, state = 'used', inFlight = 0): object {
  return { address: new URL(url).host, state, inFlight };
}

/** A moment of the fake clock. */
function timeAt(ms: number): string {
  return new Date(1_700_000_000_000 + ms).toISOString();
}

function tagsAt(...indices: readonly number[]): string[] {
  return indices.map((index) => `/tags/${index}`);
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
