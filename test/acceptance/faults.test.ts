/** The fault matrix: whatever a service does, the documented answer within the deadline, and nothing left behind. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { faults } from './_faults.ts';
import { activeResources, holds, startToxicShop } from './_toxic-shop.ts';
import type { Shop, Timed } from './_toxic-shop.ts';

/** Whatever happens is over long before, on a machine that is busy too. */
const deadlineMs = 1_000;
const service = {
  timeoutMs: 900,
  maxBodyBytes: 64 * 1024,
  retry: { minDelayMs: 5, maxDelayMs: 20 },
};
/** Two attempts fit into the deadline. */
const impatient = { ...service, timeoutMs: 150 };

describe.each(faults)('a service that $name', (fault) => {
  const { toxic, status, type, reason, passes = false, silent = false } = fault;
  const used = reason === 'timeout' ? impatient : service;

  it.each(['GET', 'POST'])('makes a required %s the documented problem', async (method) => {
    const shop = await startToxicShop({ service: used, deadlineMs });
    await shop.proxies[0].use(toxic);
    const answer = await shop.ask(`${method} /required/1`);
    expect({ status: answer.status, type: answer.json.type, step: answer.json.step }).toEqual({
      status,
      type: `urn:plait:problem:${type}`,
      step: 'thing',
    });
    expectInTime(answer);
    await expectAsked(shop, method);
  });

  it.each(['GET', 'POST'])('degrades an optional %s for the documented reason', async (method) => {
    const shop = await startToxicShop({ service: used, deadlineMs });
    await shop.proxies[0].use(toxic);
    const answer = await shop.ask(`${method} /optional/1`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('plait-degraded')).toBe(`thing;reason=${reason}`);
    expect(answer.json).toMatchObject({ thing: null, $problems: [{ pointer: '/thing', status }] });
    expectInTime(answer);
    await expectAsked(shop, method);
  });

  it('leaves nothing behind', async () => {
    // The test before may still be ending.
    expect(await holds(() => isDeepStrictEqual(activeResources(), {}))).toBe(true);
    const shop = await startToxicShop({ service: used, deadlineMs });
    await shop.proxies[0].use(toxic);
    await shop.ask('GET /optional/1');
    await shop.ask('POST /optional/2');
    await holds(() => !('Timeout' in activeResources()));
    expect(activeResources()).not.toHaveProperty('Timeout');
    expect((await shop.status()).bulkhead).toEqual({ inFlight: 0, waiting: 0 });
    await shop.gateway.close();
    // The shop and its proxy close with the test, which is after this.
    const left = { TCPServerWrap: silent ? 1 : 2 };
    await holds(() => isDeepStrictEqual(activeResources(), left));
    expect(activeResources()).toEqual(left);
    expect(shop.proxies[0].open).toBe(0);
    expect(shop.gateway.internalErrors).toEqual([]);
  });

  it('is asked as before when it is well again', async () => {
    const shop = await startToxicShop({ service: used, deadlineMs });
    await shop.ask('GET /required/0');
    await shop.proxies[0].use(toxic);
    await shop.ask('GET /optional/1');
    await shop.proxies[0].use({ kind: 'none' });
    const answer = await shop.ask('GET /required/2');
    expect(answer.json).toMatchObject({ thing: { id: '1' } });
  });

  async function expectAsked(shop: Shop, method: string): Promise<void> {
    const times = passes && method === 'GET' ? 2 : 1;
    expect({ attempts: shop.attempts(), arrived: shop.requests() }).toEqual({
      attempts: times,
      arrived: silent ? 0 : times,
    });
    expect((await shop.status()).breaker).toBe('closed');
  }
});

function expectInTime({ elapsedMs }: Timed): void {
  expect(elapsedMs).toBeLessThan(deadlineMs + 100);
}

describe('a service that is a little late', () => {
  it.each(['GET', 'POST'])('is asked once by a %s, and all is well', async (method) => {
    const shop = await startToxicShop({ service, deadlineMs });
    await shop.proxies[0].use({ kind: 'latency', ms: 100 });
    const answer = await shop.ask(`${method} /optional/1`);
    expect({ status: answer.status, thing: answer.json.thing.id }).toEqual({
      status: 200,
      thing: '1',
    });
    expect(answer.headers.has('plait-degraded')).toBe(false);
    expect([shop.attempts(), shop.requests()]).toEqual([1, 1]);
  });
});

describe('a service that closes connections it had promised to keep', () => {
  it('after each answer, is asked once for each', async () => {
    const shop = await startToxicShop({ service, deadlineMs });
    await shop.proxies[0].use({ kind: 'keep-alive-race', closes: 'at-once' });
    for (const id of [1, 2, 3, 4, 5, 6]) {
      const answer = await shop.ask(`GET /required/${id}`);
      expect(answer.status).toBe(200);
      expectInTime(answer);
    }
    expect(shop.requests()).toBe(6);
    await expectNothingOpen(shop);
  });

  it('as the next request comes, is asked again by a GET on another connection', async () => {
    const shop = await startToxicShop({ service, deadlineMs });
    await shop.proxies[0].use({ kind: 'keep-alive-race', closes: 'on-next-request' });
    for (const id of [1, 2]) {
      const answer = await shop.ask(`GET /required/${id}`);
      expect(answer.status).toBe(200);
      expectInTime(answer);
    }
    expect(shop.requests()).toBe(3);
    await expectNothingOpen(shop);
  });

  it('as the next request comes, is not asked again by a POST', async () => {
    const shop = await startToxicShop({ service, deadlineMs });
    await shop.proxies[0].use({ kind: 'keep-alive-race', closes: 'on-next-request' });
    const first = await shop.ask('POST /required/1');
    const second = await shop.ask('POST /required/2');
    expect([first.status, second.status]).toEqual([200, 502]);
    expect(second.json.type).toBe('urn:plait:problem:upstream-reset');
    expect(shop.requests()).toBe(2);
    await expectNothingOpen(shop);
  });
});

async function expectNothingOpen(shop: Shop): Promise<void> {
  expect((await shop.status()).bulkhead).toEqual({ inFlight: 0, waiting: 0 });
  await shop.gateway.close();
  expect(await holds(() => shop.proxies[0].open === 0)).toBe(true);
}

describe('a service that hangs for longer than the request may take', () => {
  const inHurry = { 'x-request-timeout-ms': '100' };

  it.each(['GET', 'POST'])('is asked once by a %s, which ends at the deadline', async (method) => {
    const shop = await startToxicShop({ service, deadlineMs });
    await shop.proxies[0].use({ kind: 'hang' });
    const required = await atMost(100, () => shop.ask(`${method} /required/1`, inHurry));
    expect(required.status).toBe(504);
    expect(required.json.type).toBe('urn:plait:problem:deadline');
    const optional = await atMost(100, () => shop.ask(`${method} /optional/2`, inHurry));
    expect(optional.status).toBe(200);
    expect(optional.headers.get('plait-degraded')).toBe('thing;reason=deadline');
    expect(shop.requests()).toBe(2);
    expect(await holds(() => shop.proxies[0].open === 0)).toBe(true);
    expect((await shop.status()).bulkhead).toEqual({ inFlight: 0, waiting: 0 });
  });
});

/**
 * Holds `ask` to that deadline and 100 ms. There is no headroom here, so what counts is not when the
 * deadline was but when this process, if it was not given the processor in time, could have kept it.
 */
async function atMost(ms: number, ask: () => Promise<Timed>): Promise<Timed> {
  const startedAt = performance.now();
  const kept = sleep(ms).then(() => performance.now() - startedAt);
  const [answer, keptAfterMs] = await Promise.all([ask(), kept]);
  expect(answer.elapsedMs).toBeLessThan(Math.max(ms, keptAfterMs) + 100);
  return answer;
}
