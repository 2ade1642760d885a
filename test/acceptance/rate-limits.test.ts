/** Gateways as processes that share a rate limit, with Redis, without, and while it fails. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { run, runMocks } from '../support/processes.ts';
import { isRedisSkipped, patient, startRedis } from '../support/redis.ts';

const definition = `
  import { defineGateway } from 'plait';
  export default defineGateway({
    rateLimits: { perAddress: { limit: 100, windowS: 600 } },
  });`;

const limited = `
  import { defineComposition } from 'plait';
  export default defineComposition({
    route: 'GET /limited',
    rateLimit: { limit: 40, windowS: 600, by: 'address' },
    compose: () => ({ ok: true }),
  });`;

interface Start {
  readonly gateways: number;
  readonly redisUrl?: string;
}

async function start({ gateways: count, redisUrl }: Start) {
  const services = await runMocks();
  const folder = await folderWith({ 'gateway.ts': definition, 'limited.ts': limited });
  const environment = {
    ...services,
    PORT: '0',
    TRUSTED_PEERS: '127.0.0.1',
    REQUESTS_PER_ADDRESS: 'off',
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
  };
  const programs = Array.from({ length: count }, () =>
    run('bin/plait.js', ['start', '--compositions', folder], environment),
  );
  const urls = await Promise.all(programs.map(({ ready }) => ready));
  /** The statuses of `number` requests from an address, in turn to each gateway. */
  async function ask(number: number, { path = '/nothing', from = '203.0.113.1' } = {}) {
    const headers = { 'x-forwarded-for': from };
    const statuses: number[] = [];
    const next = Array.from({ length: number }, (_, index) => urls[index % urls.length] + path);
    const clients = Array.from({ length: 20 }, async () => {
      for (let url = next.pop(); url !== undefined; url = next.pop()) {
        const response = await fetch(url, { headers });
        await response.arrayBuffer();
        statuses.push(response.status);
      }
    });
    await Promise.all(clients);
    return statuses;
  }
  return { ask, warnings: () => programs.map((one) => one.errors().split('\n').filter(Boolean)) };
}

function admittedIn(statuses: readonly number[]): number {
  return statuses.filter((status) => status !== 429).length;
}

describe('a limit of 100 requests', () => {
  it('admits exactly 100 of 1,000 to one gateway without Redis', async () => {
    const { ask } = await start({ gateways: 1 });
    expect(admittedIn(await ask(1_000))).toBe(100);
    expect(admittedIn(await ask(20, { from: '203.0.113.2' }))).toBe(20);
  });

  it.skipIf(isRedisSkipped)(
    'admits exactly 100 of 1,000 to two gateways with one Redis',
    patient,
    async () => {
      const redis = await startRedis();
      const { ask } = await start({ gateways: 2, redisUrl: redis.url });
      expect(admittedIn(await ask(1_000))).toBe(100);
      const limits = await ask(90, { path: '/limited', from: '203.0.113.2' });
      expect(admittedIn(limits)).toBe(40);
    },
  );

  it.skipIf(isRedisSkipped).each(['killed', 'frozen'] as const)(
    'admits no more than shares of it while Redis is %s under load, and never nothing',
    patient,
    async (how) => {
      const redis = await startRedis();
      const { ask, warnings } = await start({ gateways: 2, redisUrl: redis.url });
      // Each gateway says every two seconds that it is there.
      await sleep(2_500);
      let from = 0;
      const statuses: number[] = [];
      const load = new AbortController();
      const loading = (async () => {
        while (!load.signal.aborted)
          statuses.push(...(await ask(40, { from: `198.51.100.${(from += 1) % 250}` })));
      })();
      onTestFinished(() => {
        load.abort();
        return loading;
      });
      if (how === 'killed') await redis.kill();
      else redis.freeze();
      const begun = performance.now();
      expect(admittedIn(await ask(1_000, { from: '203.0.113.9' }))).toBe(100);
      expect(performance.now() - begun).toBeLessThan(20_000);
      if (how === 'killed') await redis.restart();
      else redis.thaw();
      load.abort();
      await loading;
      // It is probed every second.
      await sleep(2_500);
      expect(new Set(statuses)).toEqual(new Set([404]));
      const fresh = await ask(500, { from: '203.0.113.10' });
      expect(admittedIn(fresh)).toBe(100);
      for (const lines of warnings())
        expect(lines.filter((line) => line.includes('its share of rate limits'))).toHaveLength(1);
    },
  );
});
