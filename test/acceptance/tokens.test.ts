/** OAuth 2.0 client credentials, seen by clients, services and the issuer. */
import { clientCredentials } from 'plait';
import type { RequestListener, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { HealthCheckConfig } from '../../src/dsl/service-policies.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { startServer } from '../support/servers.ts';
import { startKeyed } from './_keyed.ts';

type Answer = (response: ServerResponse) => void;

/** An issuer that grants `token-1`, `token-2` … and a service that accepts what `accepts` says. */
async function start({
  accepts = () => true,
  issues,
  clock,
  health,
}: {
  readonly accepts?: (token: string) => boolean;
  readonly issues?: (answer: Answer, count: number) => Answer | undefined;
  readonly clock?: FakeClock;
  readonly health?: HealthCheckConfig;
} = {}) {
  let granted = 0;
  const issuer = await startServer((_, response) => {
    const usual: Answer = () => {
      const access_token = `token-${(granted += 1)}`;
      response.end(JSON.stringify({ access_token, token_type: 'bearer', expires_in: 3_600 }));
    };
    (issues?.(usual, issuer.requests.length) ?? usual)(response);
  });
  const answer: RequestListener = (request, response) => {
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    if (!accepts(token)) return void response.writeHead(401).end('{}');
    const ids = new URL(request.url ?? '', 'http://x').searchParams.get('ids')?.split(',');
    response.end(JSON.stringify(ids?.map((id) => ({ id })) ?? { id: 'a' }));
  };
  const auth = clientCredentials({
    tokenUrl: { env: 'TOKEN_URL' },
    clientId: 'gateway',
    clientSecret: { env: 'SECRET' },
  });
  const environment = { TOKEN_URL: `${issuer.url}/token`, SECRET: 'canary' };
  const keyed = await startKeyed({
    auth,
    answer,
    environment,
    ...(health && { health }),
    ...(clock && { clock }),
  });
  return { ...keyed, issuer };
}

const fail =
  (status: number, headers = {}): Answer =>
  (response) =>
    void response.writeHead(status, headers).end('{}');

describe('a token', () => {
  it('is fetched once for all clients, operations and writes', async () => {
    const { ask, issuer, sent } = await start();
    const paths = Array.from({ length: 50 }, (_, index) => `/read/${index}`);
    const answers = await Promise.all([...paths, '/many/a'].map((path) => ask(path)));
    answers.push(await ask('/write/a', { method: 'POST' }));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(issuer.requests).toHaveLength(1);
    expect(new Set(sent('authorization'))).toEqual(new Set(['Bearer token-1']));
  });

  it('that is renewed empties no cache', async () => {
    const clock = createFakeClock();
    const { ask, issuer, upstream, sent } = await start({ clock });
    await ask('/cached/a');
    clock.advance(3_599_000);
    await ask('/read/a');
    expect(sent('authorization')).toEqual(['Bearer token-1', 'Bearer token-2']);
    await ask('/cached/a');
    expect([issuer.requests.length, upstream.requests.length]).toEqual([2, 2]);
  });
});

describe('a service that rejects the token', () => {
  it.each([
    ['a read', '/read/a', 'GET'],
    ['a write', '/write/a', 'POST'],
    ['a batch', '/many/a', 'GET'],
  ])('is sent %s once more, with a new one', async (_, path, method) => {
    const { ask, sent, issuer } = await start({ accepts: (token) => token !== 'token-1' });
    expect((await ask(path, { method })).status).toBe(200);
    expect(sent('authorization')).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(issuer.requests).toHaveLength(2);
  });

  it('by each of many calls costs one renewal', async () => {
    const { ask, issuer } = await start({ accepts: (token) => token !== 'token-1' });
    const all = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(`/read/${index}`)));
    expect(all.every(({ status }) => status === 200)).toBe(true);
    expect(issuer.requests).toHaveLength(2);
  });

  it('always, does not flood the issuer, and is a 502', async () => {
    const clock = createFakeClock();
    const { ask, issuer } = await start({ accepts: () => false, clock });
    const round = () =>
      Promise.all(Array.from({ length: 20 }, (_, index) => ask(`/read/${index}`)));
    for (let second = 0; second < 20; second += 1) {
      // oxlint-disable-next-line no-await-in-loop -- second by second
      const answers = await round();
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([502]));
      clock.advance(1_000);
    }
    // The first one, and one for each 10 s.
    expect(issuer.requests.length).toBeLessThanOrEqual(3);
  });

  it('early, again and again, is served by new ones', async () => {
    const clock = createFakeClock();
    let good = 'token-1';
    const { ask, sent } = await start({ accepts: (token) => token === good, clock });
    for (const next of ['token-1', 'token-2', 'token-3']) {
      good = next;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await ask('/read/a')).status).toBe(200);
      clock.advance(1_000);
    }
    expect(sent('authorization').at(-1)).toBe('Bearer token-3');
  });
});

describe('an issuer', () => {
  it('that is down makes calls fail at once, with the time when it is asked again', async () => {
    const { ask, issuer, upstream, gateway } = await start({
      issues: () => fail(503, { 'retry-after': '9' }),
    });
    const first = await ask('/read/a');
    const second = await ask('/read/b');
    for (const answer of [first, second]) {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(8);
    }
    expect(await second.json()).toMatchObject({
      type: 'urn:plait:problem:upstream-credentials',
      detail: 'shop.read cannot be called without a token.',
    });
    expect([issuer.requests.length, upstream.requests.length]).toEqual([1, 0]);
    // Nothing of it is the service's fault.
    expect(gateway.status().upstreams[0]).toMatchObject({ breaker: 'closed' });
  });

  it.each([
    ['refuses the client', fail(401)],
    ['answers garbage', (response: ServerResponse) => void response.end('canary')],
  ])('that %s is a 502 without Retry-After', async (_, answer) => {
    const { ask } = await start({ issues: () => answer });
    const failed = await ask('/read/a');
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([502, null]);
    expect(await failed.text()).not.toContain('canary');
  });

  it('that has recovered is asked again after its rest', async () => {
    const clock = createFakeClock();
    const { ask } = await start({
      clock,
      issues: (usual, count) => (count === 1 ? fail(500) : usual),
    });
    expect((await ask('/read/a')).status).toBe(503);
    clock.advance(250);
    expect((await ask('/read/a')).status).toBe(200);
  });

  it('that is slow holds no permit of the service, and lets each client go by itself', async () => {
    const clock = createFakeClock();
    const { ask, gateway, issuer } = await start({ clock, issues: () => () => undefined });
    const leaving = new AbortController();
    const left = Promise.resolve(ask('/read/b', { signal: leaving.signal }));
    const stays = Promise.resolve(ask('/read/a'));
    await expect.poll(() => issuer.requests.length).toBe(1);
    expect(gateway.status().upstreams[0]?.bulkhead).toEqual({ inFlight: 0, waiting: 0 });
    leaving.abort();
    expect((await left).status).toBe(499);
    clock.advance(1_999);
    expect(issuer.open.size).toBe(1);
    clock.advance(1_001);
    expect([503, 504]).toContain((await stays).status);
  });
});

describe('a health check', () => {
  const health = { path: '/health', intervalMs: 1_000 };

  it('is sent with a token, which it asks for itself', async () => {
    const clock = createFakeClock();
    const { sent } = await start({ clock, health });
    clock.advance(1_000);
    await expect.poll(() => sent('authorization')).toEqual(['Bearer token-1']);
  });

  it('says nothing about an address while there is no token', async () => {
    const clock = createFakeClock();
    const { gateway, issuer, upstream } = await start({
      clock,
      health,
      issues: () => fail(500),
    });
    await expect
      .poll(() => {
        clock.advance(1_000);
        return issuer.requests.length;
      })
      .toBeGreaterThan(4);
    expect(upstream.requests).toHaveLength(0);
    expect(gateway.status().upstreams[0]?.endpoints[0]).toMatchObject({ state: 'used' });
  });
});
