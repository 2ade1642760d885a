/** Gateways as processes that share a Redis, and what becomes of their clients when it is not well. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { orders } from '../../mocks/data.ts';
import { folderWith } from '../support/folder.ts';
import { adminOf, run, runMocks } from '../support/processes.ts';
import { isRedisSkipped, patient, startRedis } from '../support/redis.ts';
import type { TestRedis } from '../support/redis.ts';
import { request } from '../support/request.ts';

/** Of one request, whatever has happened to Redis. 60 more than usual are meant; machines that run tests are busy. */
const mostMs = 1_500;

interface Times {
  readonly ttlMs: number;
  readonly staleWhileRevalidateMs: number;
}

const long: Times = { ttlMs: 60_000, staleWhileRevalidateMs: 60_000 };
/** Within a second there are hits, stale answers and misses. */
const short: Times = { ttlMs: 100, staleWhileRevalidateMs: 100 };

function cached(times: Times): string {
  return `
    import { call, defineComposition, operation } from 'plait';
    import { z } from 'zod';
    import { orders } from './upstreams/orders.ts';
    const cachedOrder = operation(orders, {
      name: 'cachedOrder',
      route: 'GET /orders/:orderId',
      response: z.object({ id: z.string(), total: z.number() }),
      cache: { ...${JSON.stringify(times)}, tags: ['orders'] },
    });
    export default defineComposition({
      route: 'GET /cached/:orderId',
      compose: ({ params }) => call(cachedOrder, { orderId: params.orderId }),
    });`;
}

/** A Redis, the mocks, and as many gateways as are asked for. */
async function start(times: Times, { gateways: count = 1, logLevel = 'warn' } = {}) {
  const redis = await startRedis();
  const services = await runMocks();
  const folder = await folderWith({ 'cached.ts': cached(times) });
  const environment = { ...services, PORT: '0', REDIS_URL: redis.url, LOG_LEVEL: logLevel };
  const programs = Array.from({ length: count }, () =>
    run('bin/plait.js', ['start', '--compositions', folder], environment),
  );
  const gateways = await Promise.all(programs.map(toGateway));
  const control = `${services['ORDERS_URL']}/__mock`;
  return {
    redis,
    gateways,
    upstream: {
      asked: async () => (await request(`${control}/requests`)).json.length as number,
      forget: () => request(`${control}/requests`, { method: 'DELETE' }),
      change: (body: unknown) =>
        request(`${control}/faults`, {
          method: 'PUT',
          body: JSON.stringify([{ match: 'GET /orders/*', body }]),
        }),
    },
  };
}

async function toGateway(program: ReturnType<typeof run>) {
  const url = await program.ready;
  return {
    ask: (id: string) => request(`${url}/cached/${id}`),
    invalidate: (tags: string[]) =>
      request(`${adminOf(program)}/cache/invalidate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ tags }),
      }),
    warnings: () => program.errors().trim().split('\n').filter(Boolean),
  };
}

type Gateway = Awaited<ReturnType<typeof toGateway>>;

/** Ten clients that ask for ten orders, until they are told to stop. */
function load(gateway: Gateway) {
  const wrong: unknown[] = [];
  let took: number[] = [];
  const end = new AbortController();
  const clients = orders.slice(0, 10).map(async ({ id, total }) => {
    while (!end.signal.aborted) {
      const begun = performance.now();
      const answer = await gateway.ask(id).catch((error: unknown) => ({ error }));
      took.push(performance.now() - begun);
      if (!isDeepStrictEqual(answer, { ...answer, status: 200, json: { id, total } })) {
        wrong.push(answer);
      }
      await sleep(5);
    }
  });
  // Before the gateway is stopped: what is begun last ends first.
  onTestFinished(stop);
  return {
    wrong,
    /** Of every answer since this was asked last. */
    took(): number[] {
      const since = took;
      took = [];
      return since;
    },
    stop,
  };

  async function stop(): Promise<void> {
    end.abort();
    await Promise.all(clients);
  }
}

async function isInRedis(redis: TestRedis): Promise<void> {
  expect(await redis.ask('KEYS plait:*:entry:*')).toContain(':entry:');
}

interface Trouble {
  readonly name: string;
  readonly harm: (redis: TestRedis) => unknown;
  readonly heal?: (redis: TestRedis) => unknown;
  readonly fewestWarnings?: number;
}

describe.skipIf(isRedisSkipped)('a gateway with a Redis', patient, () => {
  it.each<Trouble>([
    { name: 'killed', harm: (redis) => redis.kill(), heal: (redis) => redis.restart() },
    { name: 'frozen', harm: (redis) => redis.freeze(), heal: (redis) => redis.thaw() },
    // That can be over before the gateway has tried again.
    { name: 'restarted empty', harm: (redis) => redis.restart(), fewestWarnings: 0 },
  ])(
    'that is $name answers all the same, rightly and soon, and uses it again',
    async ({ name, harm, heal, fewestWarnings = 1 }) => {
      const { redis, gateways } = await start(short);
      const [gateway] = gateways as [Gateway];
      const clients = load(gateway);
      await sleep(700);
      await isInRedis(redis);
      const before = clients.took();

      await harm(redis);
      await sleep(1_300);
      await heal?.(redis);
      // By now what was on its way into a frozen one is in there, and is over.
      await sleep(3 * (short.ttlMs + short.staleWhileRevalidateMs));
      await vi.waitFor(() => isInRedis(redis));
      await clients.stop();
      const since = clients.took();
      process.stdout.write(
        `Redis ${name}: the slowest answer took ${Math.max(...before).toFixed()} ms before, ` +
          `${Math.max(...since).toFixed()} ms since; ${since.length} answers\n`,
      );

      expect(clients.wrong).toEqual([]);
      expect(Math.max(...since)).toBeLessThan(mostMs);
      expect(gateway.warnings().length).toBeGreaterThanOrEqual(fewestWarnings);
      for (const warning of gateway.warnings())
        expect(warning).toMatch(/ warn  Redis cannot be used/);
    },
  );

  it('logs once for each use that it went, and once that it is used again', async () => {
    const { redis, gateways } = await start(long, { logLevel: 'info' });
    const [gateway] = gateways as [Gateway];
    const lines = () => gateway.warnings().filter((line) => line.includes('Redis'));
    await redis.kill();
    await vi.waitFor(() => expect(lines()).toHaveLength(2));
    await sleep(2_500);
    await redis.restart();
    await vi.waitFor(() => expect(lines()).toHaveLength(4));
    for (const usedFor of ['cache', '"?rate limits"?']) {
      const own = lines().filter((line) => new RegExp(`used_for=${usedFor}$`).test(line));
      expect(own).toEqual([
        expect.stringMatching(/ warn {2}Redis cannot be used \(.+\): .+ {2}redis=down/),
        expect.stringMatching(/ info {2}Redis is used again after [2-9] s {2}redis=up/),
      ]);
    }
  });

  it('says that it could not invalidate while that is gone, and can again afterwards', async () => {
    const { redis, gateways } = await start(long);
    const [gateway] = gateways as [Gateway];
    await gateway.ask('ord_1001');
    await redis.kill();
    expect((await gateway.invalidate(['orders'])).status).toBe(503);
    expect((await gateway.ask('ord_1001')).status).toBe(200);
    await redis.restart();
    await vi.waitFor(async () => expect((await gateway.invalidate(['orders'])).status).toBe(200));
  });
});

describe.skipIf(isRedisSkipped)('two gateways with one Redis', patient, () => {
  it('share what they keep: the second asks the service nothing', async () => {
    const { redis, gateways, upstream } = await start(long, { gateways: 2 });
    const [first, second] = gateways as [Gateway, Gateway];
    const { json } = await first.ask('ord_1001');
    await vi.waitFor(() => isInRedis(redis));
    expect(await upstream.asked()).toBe(1);
    await upstream.forget();
    expect(await second.ask('ord_1001')).toMatchObject({ status: 200, json });
    expect(await upstream.asked()).toBe(0);
  });

  it('drop it together, whichever is told to', async () => {
    const { redis, gateways, upstream } = await start(long, { gateways: 2 });
    const [first, second] = gateways as [Gateway, Gateway];
    const totals = async () =>
      (await Promise.all([first.ask('ord_1001'), second.ask('ord_1001')])).map(
        ({ json }) => json.total,
      );
    await first.ask('ord_1001');
    await vi.waitFor(() => isInRedis(redis));
    const [old] = await totals();
    for (const [told, total] of [
      [first, 7],
      [second, 8],
    ] as const) {
      await upstream.change({ id: 'ord_1001', total });
      expect(await totals()).not.toContain(total);
      expect((await told.invalidate(['orders'])).json).toEqual({ invalidated: 1 });
      expect(await totals()).toEqual([total, total]);
      await vi.waitFor(() => isInRedis(redis));
    }
    expect(old).toBe(orders.find(({ id }) => id === 'ord_1001')?.total);
  });
});
