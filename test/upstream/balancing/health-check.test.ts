import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { HealthCheckConfig } from '../../../src/dsl/service-policies.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { defineService } from '../../../src/dsl/service.ts';
import type { ServiceConfig } from '../../../src/dsl/service.ts';
import { createAddress } from '../../../src/upstream/exchange/address.ts';
import { startHealthChecks } from '../../../src/upstream/balancing/health-check.ts';
import { createAddressHealth } from '../../../src/upstream/balancing/address-health.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer, startSocketServer } from '../../support/servers.ts';
import { openShop, turn } from '../../support/upstream-calls.ts';

const intervalMs = 1_000;

interface Checked {
  readonly health?: HealthCheckConfig | false;
  readonly service?: Partial<ServiceConfig>;
  readonly chances?: readonly number[];
}

/** A service with health checks. Time stands still; `delays` lists the timers that are set. */
function startChecked(url: string, { health, service, chances }: Checked = {}) {
  const fake = createFakeClock({ ...(chances && { chances }) });
  const delays: number[] = [];
  const clock = {
    ...fake,
    after(delayMs: number, run: () => void) {
      delays.push(delayMs);
      return fake.after(delayMs, run);
    },
  };
  const config = health ?? { path: '/livez', intervalMs };
  const app = openShop({ url, clock, service: { ...service, ...(config && { health: config }) } });
  const states = () => app.upstreams.status()[0]?.endpoints.map(({ state }) => state) ?? [];
  /** Runs the next check of every address to its end. */
  async function check(): Promise<string> {
    const before = delays.length;
    fake.advance(intervalMs);
    // For each its timeout, and then the wait for its next check.
    await vi.waitFor(() => expect(delays).toHaveLength(before + 2 * states().length));
    return states().join();
  }
  return { ...app, fake, delays, states, check };
}

/** A service with health checks that answers with the given status, `200` at first. */
async function startService(options?: Checked) {
  let now: { readonly status: number; readonly body?: string } | undefined = { status: 200 };
  const server = await startServer((_, response) => {
    if (now !== undefined) response.writeHead(now.status).end(now.body);
  });
  const is = (status: number, body = ''): void => void (now = { status, body });
  const hang = (): void => (now = undefined);
  return { server, is, hang, ...startChecked(server.url, options) };
}

/** An address where nothing listens. */
async function closedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

describe('a health check', () => {
  it('requests the path that the service names at every address', async () => {
    const [one, other] = [await startServer(), await startServer()];
    const { check, states } = startChecked(`${one.url},${other.url}/v2`);
    expect([...one.requests, ...other.requests]).toEqual([]);
    await check();
    expect(one.requests).toMatchObject([{ method: 'GET', target: '/livez', body: '' }]);
    expect(other.requests).toMatchObject([{ method: 'GET', target: '/v2/livez' }]);
    expect(states()).toEqual(['used', 'used']);
  });

  it('marks an address as unwell after two consecutive failures, not after one', async () => {
    const { is, check } = await startService();
    is(503);
    expect(await check()).toBe('used');
    is(200);
    expect(await check()).toBe('used');
    is(503);
    expect([await check(), await check(), await check()]).toEqual(['used', 'unwell', 'unwell']);
  });

  it('marks an address as well again after two consecutive successes', async () => {
    const { is, check } = await startService();
    is(503);
    for (const _ of [1, 2, 3]) await check();
    is(200);
    await check();
    is(503);
    await check();
    is(200);
    await check();
    expect([await check(), await check()]).toEqual(['used', 'used']);
  });

  it('does not mark an address as well again after one success', async () => {
    const { is, check } = await startService();
    is(503);
    expect([await check(), await check()]).toEqual(['used', 'unwell']);
    is(200);
    expect(await check()).toBe('unwell');
    is(503);
    expect(await check()).toBe('unwell');
  });

  it('keeps calls from an address that fails, and sends them to the others', async () => {
    const well = await startServer();
    const unwell = await startServer((_, response) => void response.writeHead(500).end());
    const { check, call, service } = startChecked(`${unwell.url},${well.url}`);
    await check();
    expect(await check()).toBe('unwell,used');
    const ping = operation(service, { route: 'GET /ping', response: z.unknown() });
    for (const _ of [1, 2, 3, 4]) await call(ping, {}, undefined);
    const targets = (server: typeof well) => server.requests.map(({ target }) => target);
    expect(targets(unwell)).toEqual(['/livez', '/livez']);
    expect(targets(well).filter((target) => target === '/ping').length).toBeGreaterThan(0);
  });

  it.each([200, 204, 299])('passes with a %i, whatever the body', async (status) => {
    const { is, check } = await startService();
    is(status, status === 204 ? '' : 'I am <fine>');
    expect([await check(), await check()]).toEqual(['used', 'used']);
  });

  it.each([302, 404, 429, 500, 503])('fails with a %i', async (status) => {
    const { is, check } = await startService();
    is(status, 'null');
    expect([await check(), await check()]).toEqual(['used', 'unwell']);
  });

  it('fails when nothing listens', async () => {
    const { check } = startChecked(await closedUrl());
    expect([await check(), await check()]).toEqual(['used', 'unwell']);
  });

  it('fails when the connection breaks or the answer is not HTTP', async () => {
    const breaking = await startSocketServer((socket) => socket.destroy());
    const babbling = await startSocketServer((socket) => void socket.end('hello'));
    const { check } = startChecked(`${breaking.url},${babbling.url}`);
    await check();
    expect(await check()).toBe('unwell,unwell');
  });

  it.each([
    { what: "the service's timeout", timeoutMs: 300, lasts: 300 },
    { what: 'the interval', timeoutMs: 3_000, lasts: 1_000 },
  ])('fails when there is no answer within $what', async ({ timeoutMs, lasts }) => {
    const { server, hang, fake, states } = await startService({ service: { timeoutMs } });
    hang();
    for (const times of [1, 2]) {
      fake.advance(intervalMs);
      await vi.waitFor(() => expect(server.requests).toHaveLength(times), { interval: 1 });
      fake.advance(lasts - 1);
      await turn();
      expect(states()).toEqual(['used']);
      fake.advance(1);
      await server.allClosed();
    }
    expect(states()).toEqual(['unwell']);
  });

  it('does not begin before the last one has ended', async () => {
    const { server, hang, fake } = await startService();
    hang();
    fake.advance(intervalMs);
    await vi.waitFor(() => expect(server.requests).toHaveLength(1), { interval: 1 });
    fake.advance(999);
    await turn();
    expect([server.requests.length, fake.pending]).toEqual([1, 1]);
  });

  it('follows the last one after the declared interval, with a jitter of a tenth', async () => {
    const { check, delays } = await startService({ chances: [0, 0.5, 0] });
    await check();
    await check();
    // The second number of each pair is what an answer is waited for.
    expect(delays).toEqual([900, 1_000, 1_000, 1_000, 900]);
    assertProperty(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (chance) => {
        const [delay = 0] = delaysWith(chance);
        expect(delay).toBeGreaterThanOrEqual(4_500);
        expect(delay).toBeLessThanOrEqual(5_500);
      }),
    );
    expect([delaysWith(0), delaysWith(0.75)]).toEqual([[4_500], [5_250]]);
  });

  it('is made only if a service declares it', async () => {
    const { server, fake, states } = await startService({ health: false });
    expect(fake.pending).toBe(0);
    fake.advance(60_000);
    await turn();
    expect([server.requests, server.accepted, states()]).toEqual([[], 0, ['used']]);
  });
});

describe('a health check after close()', () => {
  it('is no longer waited for', async () => {
    const { server, check, fake, upstreams } = await startService();
    await check();
    await upstreams.close();
    expect(fake.pending).toBe(0);
    fake.advance(60_000);
    await server.allClosed();
    expect(server.requests).toHaveLength(1);
  });

  it('ends if it is under way, changes nothing, and is the last one', async () => {
    const { server, hang, fake, states, check, is, upstreams } = await startService();
    is(500);
    await check();
    hang();
    fake.advance(intervalMs);
    await vi.waitFor(() => expect(server.requests).toHaveLength(2), { interval: 1 });
    await upstreams.close();
    await server.allClosed();
    await turn();
    expect([fake.pending, states()]).toEqual([0, ['used']]);
  });
});

/** The timers of a check of a service without an interval of its own. */
function delaysWith(chance: number): number[] {
  const delays: number[] = [];
  const fake = createFakeClock({ chances: [chance] });
  const clock = { ...fake, after: (ms: number) => (delays.push(ms), () => undefined) };
  const service = defineService({ name: 'shop', url: 'http://127.0.0.1:9', health: { path: '/' } });
  const endpoint = createAddress(service, new URL('http://127.0.0.1:9'));
  startHealthChecks(service, [createAddressHealth(endpoint, service.ejection, clock)], { clock })();
  return delays;
}
