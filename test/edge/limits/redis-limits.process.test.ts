import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { LimitStore, Subject } from '../../../src/edge/limits/limit-store.ts';
import { openLimitStore } from '../../../src/edge/limits/open-limit-store.ts';
import { parseSettings } from '../../../src/settings/settings.ts';
import { isRedisSkipped, patient, startRedis } from '../../support/redis.ts';

const rule = { id: 'address', name: 'address', limit: 10, windowS: 60 } as const;
const client = (id: string): Subject => ({ kind: 'address', id });

/** The limit for one decision. 60 ms is intended, but machines that run tests are busy. */
const mostMs = 500;

async function openStore(url: string): Promise<LimitStore & { readonly warnings: string[] }> {
  const warnings: string[] = [];
  const store = await openLimitStore({
    redis: parseSettings({ REDIS_URL: url }, []).redis,
    clock: systemClock,
    onWarning: (message) => warnings.push(message),
  });
  onTestFinished(() => store.close());
  return { ...store, warnings };
}

async function start({ gateways = 1 } = {}) {
  const redis = await startRedis();
  const stores = await Promise.all(Array.from({ length: gateways }, () => openStore(redis.url)));
  const takes = stores.map((store) => store.limiterFor(rule));
  /** How many of `count` requests to each gateway are admitted, in all, and how long the longest took. */
  async function admitted(count: number, id = 'a') {
    const all = takes.flatMap((take) =>
      Array.from({ length: count }, async () => {
        const begun = performance.now();
        const { isAdmitted } = await take(client(id), 1);
        return { isAdmitted, ms: performance.now() - begun };
      }),
    );
    const results = await Promise.all(all);
    const longestMs = Math.max(...results.map(({ ms }) => ms));
    return { number: results.filter(({ isAdmitted }) => isAdmitted).length, longestMs };
  }
  return { redis, stores, takes, admitted };
}

describe.skipIf(isRedisSkipped)('a limit in Redis', patient, () => {
  it('is one for all gateways, exactly', async () => {
    const { admitted } = await start({ gateways: 3 });
    expect((await admitted(50)).number).toBe(10);
    expect((await admitted(50, 'b')).number).toBe(10);
  });

  it('ends with its window, which is that of the first request', async () => {
    const { stores } = await start();
    const take = stores[0]?.limiterFor({ ...rule, limit: 2, windowS: 1 });
    const taken = () => take?.(client('a'), 1);
    expect(await taken()).toMatchObject({ isAdmitted: true, remaining: 1 });
    await sleep(300);
    const second = await taken();
    expect(second).toMatchObject({ isAdmitted: true, remaining: 0 });
    expect(second?.resetMs).toBeLessThanOrEqual(700);
    expect(await taken()).toMatchObject({ isAdmitted: false, remaining: 0 });
    await sleep(800);
    expect(await taken()).toMatchObject({ isAdmitted: true, remaining: 1 });
  });

  it('takes nothing for what it refuses: something cheaper may still fit', async () => {
    const { takes } = await start();
    expect(await takes[0]?.(client('a'), 8)).toMatchObject({ isAdmitted: true, remaining: 2 });
    expect(await takes[0]?.(client('a'), 3)).toMatchObject({ isAdmitted: false, remaining: 2 });
    expect(await takes[0]?.(client('a'), 2)).toMatchObject({ isAdmitted: true, remaining: 0 });
  });

  it('shows no addresses in names, and lets every name expire', async () => {
    const { redis, admitted } = await start();
    // On a busy machine, the first one may be counted without Redis.
    const names = await vi.waitFor(async () => {
      await admitted(1, '203.0.113.7');
      const found = [...(await redis.ask('KEYS *')).matchAll(/plait:\S+/g)].map(([name]) => name);
      expect(found.filter((name) => !name.endsWith(':probe'))).toHaveLength(2);
      return found;
    });
    expect(names.join()).not.toContain('203.0.113.7');
    // The probe may be gone by now (-2); -1 would be a name that stays.
    for (const name of names) expect(await redis.ask(`PTTL ${name}`)).toMatch(/^:([1-9]|-2)/);
  });
});

describe.skipIf(isRedisSkipped)('without an answer of Redis', patient, () => {
  it.each(['killed', 'frozen'] as const)(
    'each gateway admits its share at once when it is %s, and the limit is one again afterwards',
    async (how) => {
      const { redis, stores, admitted } = await start({ gateways: 2 });
      // The first has counted the second with its next beat.
      await sleep(2_200);
      if (how === 'killed') await redis.kill();
      else redis.freeze();
      const without = await admitted(50);
      expect(without.number).toBe(10);
      expect(without.longestMs).toBeLessThan(mostMs);
      expect((await admitted(50)).number).toBe(0);
      const warning = expect.stringMatching(
        /^Redis cannot be used \(.+\): each gateway admits its share of rate limits until it is back$/,
      );
      await vi.waitFor(() =>
        expect(stores.map((one) => one.warnings)).toEqual([[warning], [warning]]),
      );
      if (how === 'killed') await redis.restart();
      else redis.thaw();
      // It is probed every second.
      await sleep(2_500);
      expect((await admitted(50, 'back')).number).toBe(10);
    },
  );

  it('admits a request at least, whatever it costs and however many gateways there are', async () => {
    const { redis, stores } = await start({ gateways: 4 });
    await sleep(2_200);
    await redis.kill();
    const takes = stores.map((store) => store.limiterFor({ ...rule, limit: 3 }));
    const one = await Promise.all(takes.map((take) => take(client('a'), 1)));
    expect(one.map(({ isAdmitted }) => isAdmitted)).toEqual([true, true, true, true]);
    const next = await Promise.all(takes.map((take) => take(client('a'), 1)));
    expect(next.map(({ isAdmitted }) => isAdmitted)).toEqual([false, false, false, false]);
    const dear = stores[0]?.limiterFor({ ...rule, id: 'route a' });
    expect(await dear?.(client('a'), 9)).toMatchObject({ isAdmitted: true });
    expect(await dear?.(client('a'), 9)).toMatchObject({ isAdmitted: false });
  });

  it('starts all the same, and admits the whole limit as long as it has seen no other', async () => {
    const store = await openStore('redis://127.0.0.1:1');
    const take = store.limiterFor(rule);
    const taken = await Promise.all(Array.from({ length: 20 }, () => take(client('a'), 1)));
    expect(taken.filter(({ isAdmitted }) => isAdmitted)).toHaveLength(10);
  });

  it('does not count a gateway that has stopped', async () => {
    const { redis, stores, takes } = await start({ gateways: 2 });
    await stores[1]?.close();
    await sleep(2_200);
    await redis.kill();
    const taken = await Promise.all(Array.from({ length: 20 }, () => takes[0]?.(client('a'), 1)));
    expect(taken.filter((one) => one?.isAdmitted)).toHaveLength(10);
  });
});
