import { describe, expect, it } from 'vitest';
import { answer } from '../../../src/dsl/answer.ts';
import { defineComposition } from '../../../src/dsl/composition.ts';
import { defineGateway } from '../../../src/dsl/gateway.ts';
import type { RateLimits, RouteRateLimit } from '../../../src/dsl/rate-limit.ts';
import { createMemoryLimits } from '../../../src/edge/limits/memory-limits.ts';
import { rateLimiting } from '../../../src/edge/limits/rate-limits.ts';
import { parseNetwork } from '../../../src/network.ts';
import { compile } from '../../../src/plan/compile.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { startWithMocks } from '../../support/gateway-with-mocks.ts';

const loopback = parseNetwork('127.0.0.1');
const minute = (limit: number) => ({ limit, windowS: 60 });

interface Start {
  readonly rateLimits?: RateLimits;
  readonly rateLimit?: RouteRateLimit;
  readonly middleware?: () => Promise<Response>;
}

/** A gateway behind a trusted proxy, so that requests come from the address that they forward. */
async function start({ rateLimits = {}, rateLimit, middleware }: Start) {
  const clock = createFakeClock();
  const limited = rateLimit && { rateLimit };
  const gateway = await startWithMocks({
    clock,
    compositions: {
      page: defineComposition({ route: 'GET /page', ...limited, compose: () => ({ page: true }) }),
      free: defineComposition({ route: 'GET /free', compose: () => ({ free: true }) }),
      made: defineComposition({
        route: 'POST /made',
        compose: () => answer({ made: true }, { status: 201 }),
      }),
    },
    edge: {
      definition: defineGateway({
        cors: { origins: ['https://app.example.com'] },
        rateLimits,
        ...(middleware && { middleware: [middleware] }),
      }),
      trustedPeers: loopback ? [loopback] : [],
    },
  });
  async function ask(path: string, from = '203.0.113.1', init: RequestInit = {}) {
    const headers = { 'x-forwarded-for': from, ...init.headers };
    const { status, headers: sent, json } = await gateway.get(path, { ...init, headers });
    return {
      status,
      json,
      policy: sent.get('ratelimit-policy'),
      left: sent.get('ratelimit'),
      retryAfter: sent.get('retry-after'),
    };
  }
  return { ask, clock };
}

describe('a limit per address', () => {
  it('answers 429 beyond it, says when to come back, and admits again then', async () => {
    const { ask, clock } = await start({ rateLimits: { perAddress: minute(2) } });
    const policy = '"address";q=2;w=60';
    expect(await ask('/page')).toMatchObject({ status: 200, policy, left: '"address";r=1;t=60' });
    clock.advance(20_500);
    expect(await ask('/page')).toMatchObject({ status: 200, policy, left: '"address";r=0;t=40' });
    expect(await ask('/page')).toMatchObject({
      status: 429,
      policy,
      left: '"address";r=0;t=40',
      retryAfter: '40',
      json: {
        type: 'urn:plait:problem:rate-limit',
        title: 'Too many requests',
        status: 429,
        detail: 'The rate limit is used up.',
        instance: '/page',
      },
    });
    clock.advance(39_500);
    expect((await ask('/page')).status).toBe(200);
  });

  it.each([
    ['an IPv4 address', '198.51.100.1', '198.51.100.1', true],
    ['neighbours of IPv4', '198.51.100.1', '198.51.100.2', false],
    ['one /64 of IPv6', '2001:db8::1', '2001:db8::ffff:2', true],
    ['two /64 of IPv6', '2001:db8::1', '2001:db8:0:1::1', false],
    ['IPv4 that is written as IPv6', '198.51.100.1', '::ffff:198.51.100.1', true],
    ['a port', '198.51.100.1:4711', '198.51.100.1:4712', true],
    ['words instead of addresses', 'unknown', 'x'.repeat(5_000), true],
    ['what the client has written itself', '198.51.100.1', '192.0.2.7, 198.51.100.1', true],
  ])('counts together, or not: %s', async (_, first, second, isSame) => {
    const { ask } = await start({ rateLimits: { perAddress: minute(1) } });
    expect((await ask('/page', first)).status).toBe(200);
    expect((await ask('/page', second)).status).toBe(isSame ? 429 : 200);
  });

  it('counts whatever is asked for, and neither health checks nor preflights', async () => {
    const { ask } = await start({ rateLimits: { perAddress: minute(3) } });
    const preflight = { 'access-control-request-method': 'GET', origin: 'https://app.example.com' };
    for (let n = 0; n < 5; n += 1) {
      expect(await ask('/livez')).toMatchObject({ status: 200, left: null });
      const options = { method: 'OPTIONS', headers: preflight };
      expect((await ask('/page', undefined, options)).status).toBe(204);
    }
    expect((await ask('/nothing')).left).toBe('"address";r=2;t=60');
    expect(await ask('/made', undefined, { method: 'POST' })).toMatchObject({
      status: 201,
      left: '"address";r=1;t=60',
    });
    expect((await ask('/free')).left).toBe('"address";r=0;t=60');
    expect((await ask('/nothing')).status).toBe(429);
  });

  it('does not count the requests of a proxy of ours itself', async () => {
    const { ask } = await start({ rateLimits: { perAddress: minute(1), perPrincipal: minute(1) } });
    for (let n = 0; n < 3; n += 1)
      expect(await ask('/page', '127.0.0.1')).toMatchObject({ status: 200, left: null });
  });

  it('stands before middleware, which may answer as well', async () => {
    let asked = 0;
    const middleware = async () => ((asked += 1), new Response('{}', { status: 418 }));
    const { ask } = await start({ rateLimits: { perAddress: minute(1) }, middleware });
    expect(await ask('/page')).toMatchObject({ status: 418, left: '"address";r=0;t=60' });
    expect([(await ask('/page')).status, asked]).toEqual([429, 1]);
  });
});

describe('a limit of a composition', () => {
  it('holds for its route only', async () => {
    const { ask } = await start({ rateLimit: minute(1) });
    expect(await ask('/page')).toMatchObject({
      status: 200,
      policy: '"route";q=1;w=60',
      left: '"route";r=0;t=60',
    });
    expect((await ask('/page')).status).toBe(429);
    expect(await ask('/free')).toMatchObject({ status: 200, policy: null, left: null });
    expect((await ask('/page', '203.0.113.2')).status).toBe(200);
  });

  it('takes what a request costs', async () => {
    const { ask } = await start({ rateLimit: { ...minute(10), cost: 4 } });
    const answers = [await ask('/page'), await ask('/page'), await ask('/page')];
    expect(answers.map(({ status, left }) => [status, left])).toEqual([
      [200, '"route";r=6;t=60'],
      [200, '"route";r=2;t=60'],
      [429, '"route";r=2;t=60'],
    ]);
  });

  it('holds beside the limits of the gateway, and each says what is left', async () => {
    const { ask } = await start({
      rateLimits: { perAddress: minute(9), perPrincipal: { limit: 5, windowS: 10 } },
      rateLimit: minute(1),
    });
    expect(await ask('/page')).toMatchObject({
      status: 200,
      policy: '"address";q=9;w=60, "principal";q=5;w=10, "route";q=1;w=60',
      left: '"address";r=8;t=60, "principal";r=4;t=10, "route";r=0;t=60',
    });
    expect(await ask('/page')).toMatchObject({ status: 429, retryAfter: '60' });
    for (let n = 0; n < 3; n += 1) expect((await ask('/free')).status).toBe(200);
    // The limit that is asked first decides, and those behind it count nothing.
    expect(await ask('/page')).toMatchObject({
      status: 429,
      retryAfter: '10',
      left: '"address";r=3;t=60, "principal";r=0;t=10',
    });
  });

  it('may be read by pages of other origins', async () => {
    const { ask } = await start({ rateLimit: minute(1) });
    const page = { headers: { origin: 'https://app.example.com' } };
    expect((await ask('/page', undefined, page)).left).toBe('"route";r=0;t=60');
  });
});

describe('whose requests are counted together', () => {
  const one = { principal: 'alice', peer: '203.0.113.1' };
  const rows: [
    by: 'principal' | 'address' | undefined,
    first: object,
    second: object,
    isSame: boolean,
  ][] = [
    [undefined, one, { ...one, peer: '203.0.113.2' }, true],
    ['principal', one, { ...one, peer: '203.0.113.2' }, true],
    ['principal', one, { ...one, principal: 'bob' }, false],
    ['principal', { ...one, principal: undefined }, { peer: one.peer }, true],
    ['principal', { peer: one.peer }, { peer: '203.0.113.2' }, false],
    ['principal', { principal: one.peer, peer: '' }, { peer: one.peer }, false],
    ['address', one, { ...one, peer: '203.0.113.2' }, false],
    ['address', one, { ...one, principal: 'bob' }, true],
  ];

  it.each(rows)('by %s: %j and %j: %s', async (by, first, second, isSame) => {
    const rateLimit = { ...minute(1), ...(by && { by }) };
    const composition = defineComposition({ route: 'GET /page', rateLimit, compose: () => ({}) });
    const plan = compile({ name: 'page', composition });
    const store = createMemoryLimits({ clock: createFakeClock() });
    const [admit] = rateLimiting({ plans: [plan], edge: {}, store }).admissions;
    const ask = (facts: object) =>
      admit?.({ peer: '', header: () => undefined, ...facts, rateLimits: [] }, plan);
    expect(await ask(first)).toBeUndefined();
    const refusal = { kind: 'rate-limit', limit: 'rateLimit', retryAfterSeconds: 60 };
    expect(await ask(second)).toEqual(isSame ? refusal : undefined);
  });
});

describe('without limits', () => {
  it('nothing stands in the way of requests', () => {
    const composition = defineComposition({ route: 'GET /page', compose: () => ({}) });
    const plans = [compile({ name: 'page', composition })];
    const store = createMemoryLimits({ clock: createFakeClock() });
    const edge = { definition: defineGateway({}) };
    expect(rateLimiting({ plans, edge, store })).toEqual({ layers: [], admissions: [] });
  });
});
