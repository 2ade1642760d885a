/** The effects of a service that is not well on clients and services, by counts. */
import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inParallel, steadily } from './_load.ts';
import { startPair } from './_pair.ts';
import { answering, holds, startToxicShop } from './_toxic-shop.ts';

const down = { kind: 'status', code: 503 } as const;
const well = { kind: 'none' } as const;

describe('a service that answers 503 to everything', () => {
  const openMs = 200;
  // It would otherwise be found well again later and later, the longer it was not.
  const breaker = { openMs, maxOpenMs: openMs };

  it('is sent no more than a fifth in addition, and the floor', async () => {
    const shop = await startToxicShop({ service: { breaker: false } });
    await shop.proxies[0].use(down);
    const answers = await steadily(300, 4, (id) => shop.ask(`GET /required/${id}`));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([502]));
    expect(shop.requests()).toBeGreaterThan(300);
    expect(shop.requests()).toBeLessThanOrEqual(1.2 * 300 + 3);
  });

  it('is hardly asked any more when its breaker has opened', async () => {
    const shop = await startToxicShop({ service: { breaker } });
    await shop.proxies[0].use(down);
    const answers = await steadily(300, 4, (id) => shop.ask(`GET /required/${id}`));
    expect(answers.filter(({ status }) => status === 200)).toEqual([]);
    // 20 that open it with what was under way then, and three probes in every 200 ms of these 1,200.
    expect(shop.requests()).toBeLessThanOrEqual(100);
  });

  it('is not asked at all while its breaker is open, and clients are told so', async () => {
    const shop = await startToxicShop({ service: { breaker: { openMs: 5_000 } } });
    await shop.proxies[0].use(down);
    await inParallel(40, 20, (id) => shop.ask(`GET /required/${id}`));
    expect((await shop.status()).breaker).toBe('open');
    const before = shop.requests();
    const required = await inParallel(20, 5, (id) => shop.ask(`GET /required/${id}`));
    const withFallback = await inParallel(20, 5, (id) => shop.ask(`GET /fallback/${id}`));
    for (const { status, headers, json } of required) {
      expect({ status, type: json.type }).toEqual({
        status: 503,
        type: 'urn:plait:problem:upstream-breaker-open',
      });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    for (const { status, headers, json } of withFallback) {
      expect({ status, thing: json.thing }).toEqual({
        status: 200,
        thing: { id: 'none', note: '' },
      });
      expect(headers.get('plait-degraded')).toBe('thing;reason=breaker-open');
    }
    expect(shop.requests()).toBe(before);
  });

  it('is asked by everybody again soon after it has recovered', async () => {
    const shop = await startToxicShop({ service: { breaker } });
    await shop.proxies[0].use(down);
    await steadily(200, 4, (id) => shop.ask(`GET /required/${id}`));
    await shop.proxies[0].use(well);
    await sleep(3 * openMs);
    // A few that come one after the other: half open, the breaker lets three through at once.
    await inParallel(10, 1, (id) => shop.ask(`GET /required/${id}`));
    expect((await shop.status()).breaker).toBe('closed');
    const answers = await inParallel(100, 10, (id) => shop.ask(`GET /required/${id}`));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('has its goodput back within three times the time its breaker is open', async () => {
    const shop = await startToxicShop({ service: { breaker } });
    await shop.proxies[0].use(down);
    await steadily(200, 4, (id) => shop.ask(`GET /required/${id}`));
    await shop.proxies[0].use(well);
    const answers = await steadily(300, 4, async (id) => {
      const askedAt = performance.now();
      return { askedAt, status: (await shop.ask(`GET /required/${id}`)).status };
    });
    const recoveredAt = answers[0]?.askedAt ?? NaN;
    const last = answers.findLast(({ status }) => status !== 200);
    expect((last?.askedAt ?? recoveredAt) - recoveredAt).toBeLessThanOrEqual(3 * openMs);
    expect(answers.at(-1)?.status).toBe(200);
  });
});

describe('a service with five addresses', () => {
  it('of which one always answers 500, hardly fails anybody after the first fifty', async () => {
    const shop = await startToxicShop({ answers: five(() => answering()) });
    await shop.proxies[2]?.use({ kind: 'status', code: 500 });
    await inParallel(50, 10, (id) => shop.ask(`GET /required/${id}`));
    const answers = await inParallel(600, 10, (id) => shop.ask(`GET /required/${id}`));
    const failed = answers.filter(({ status }) => status !== 200);
    expect(failed.length).toBeLessThan(600 * 0.01);
  });

  it('of which one is ten times slower, has most answered by the others', async () => {
    const shop = await startToxicShop({
      answers: five((index) => answering(index === 3 ? 500 : 50)),
    });
    const answers = await inParallel(1_200, 16, (id) => shop.ask(`GET /required/${id}`));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const [slow = NaN] = shop.proxies.slice(3).map(({ requests }) => requests);
    expect(slow / 1_200).toBeLessThan(0.05);
  });
});

function five(make: (index: number) => RequestListener): RequestListener[] {
  return [0, 1, 2, 3, 4].map(make);
}

describe('a service with two addresses', () => {
  const both = [answering(5), answering(5)];

  it('of which one is dead from the start, fails nobody who asks for something', async () => {
    const shop = await startToxicShop({ answers: both });
    await shop.proxies[0].use({ kind: 'refuse' });
    const answers = await inParallel(300, 10, (id) => shop.ask(`GET /required/${id}`));
    expect(failuresOf(answers)).toEqual([]);
    expect(shop.proxies[0].requests).toBe(0);
  });

  it('of which one hangs from the start, fails nobody who asks for something', async () => {
    const shop = await startToxicShop({ answers: both });
    await shop.proxies[0].use({ kind: 'hang' });
    const answers = await inParallel(400, 20, (id) => shop.ask(`GET /required/${id}`));
    expect(failuresOf(answers)).toEqual([]);
    expect(shop.proxies[0].requests).toBeLessThan(20);
  });

  it('of which one begins to hang, fails nobody who asks for something', async () => {
    const shop = await startToxicShop({ answers: both });
    const answers = await inParallel(400, 10, async (id) => {
      if (id === 200) await shop.proxies[1]?.use({ kind: 'hang' });
      return shop.ask(`GET /required/${id}`);
    });
    expect(failuresOf(answers)).toEqual([]);
  });

  it('of which one begins to refuse, fails nobody who asks for something', async () => {
    const shop = await startToxicShop({ answers: both });
    const answers = await inParallel(400, 10, async (id) => {
      if (id === 200) await shop.proxies[1]?.use({ kind: 'refuse' });
      return shop.ask(`GET /required/${id}`);
    });
    expect(failuresOf(answers)).toEqual([]);
    expect(shop.proxies[1]?.requests).toBeGreaterThan(20);
  });

  it('of which one dies with what it was doing, fails nobody who asks for something', async () => {
    const shop = await startToxicShop({ answers: both });
    const answers = await inParallel(400, 10, async (id) => {
      if (id === 200) await shop.proxies[1]?.close();
      return shop.ask(`GET /required/${id}`);
    });
    expect(failuresOf(answers)).toEqual([]);
    expect(shop.proxies[1]?.requests).toBeGreaterThan(20);
  });
});

function failuresOf(answers: readonly { status: number; json: unknown }[]): unknown[] {
  return answers.filter(({ status }) => status !== 200).map(({ json }) => json);
}

describe('hedging', () => {
  it('spares clients most of the wait for what hangs now and then, and costs little', async () => {
    const without = await askOftenHanging({});
    const hedged = await askOftenHanging({ hedge: {} });
    expect(without.slow).toBeGreaterThan(10);
    expect(hedged.slow).toBeLessThan(without.slow / 2);
    // A twentieth, and the attempts that follow those of the hanging ones which were not asked twice.
    expect(hedged.extra).toBeLessThanOrEqual(0.05 * 900 + 10);
  });
});

/** 900 requests to two addresses of which now one and now the other hangs: every fiftieth time. */
async function askOftenHanging(service: object) {
  // One count for both: an address that hung is avoided for long.
  const answer = hangingEvery(50, answering(40));
  const shop = await startToxicShop({
    service: { timeoutMs: 1_000, ...service },
    answers: [answer, answer],
  });
  const ask = (id: number) => shop.ask(`GET /required/${id}`);
  // Until enough is known to say what is late.
  await inParallel(100, 24, ask);
  const answers = await inParallel(800, 24, ask);
  return {
    slow: answers.filter(({ elapsedMs }) => elapsedMs >= 900).length,
    extra: shop.requests() - 900,
  };
}

function hangingEvery(nth: number, answer: RequestListener): RequestListener {
  let count = 0;
  return (incoming, response) => {
    count += 1;
    if (count % nth !== 0) answer(incoming, response);
  };
}

const failing: RequestListener = (_, response) => {
  setTimeout(() => response.writeHead(500).end(), 60);
};

describe.each([
  { kind: 'hang' },
  { kind: 'latency', ms: 5_000 },
  { kind: 'slow-drip', everyMs: 100 },
] as const)('what is under way at a service with the fault $kind is given up', (toxic) => {
  it('when another required step fails', async () => {
    const { ask, bank, isAtRest } = await startPair(failing);
    await bank.use(toxic);
    const { status, json } = await ask();
    expect({ status, step: json.step }).toEqual({ status: 502, step: 'thing' });
    expect(bank.requests).toBe(2);
    expect(await isAtRest(bank)).toBe(true);
  });

  it('at the deadline', async () => {
    const { ask, shop, bank, isAtRest } = await startPair(answering());
    await shop.use(toxic);
    await bank.use(toxic);
    const { status, json } = await ask({ headers: { 'x-request-timeout-ms': '150' } });
    expect({ status, type: json.type }).toEqual({
      status: 504,
      type: 'urn:plait:problem:deadline',
    });
    expect([shop.requests, bank.requests]).toEqual([1, 2]);
    expect(await isAtRest(shop, bank)).toBe(true);
  });

  it('when the client has gone', async () => {
    const { ask, shop, bank, isAtRest } = await startPair(answering());
    await shop.use(toxic);
    await bank.use(toxic);
    const client = new AbortController();
    const gone = ask({ signal: client.signal }).catch((error: Error) => error.name);
    expect(await holds(() => shop.requests === 1 && bank.requests === 2)).toBe(true);
    client.abort();
    expect(await gone).toBe('AbortError');
    expect(await isAtRest(shop, bank)).toBe(true);
  });
});
