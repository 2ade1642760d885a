/** Situations that a state causes: of a breaker, a bulkhead, an address, Redis, or the gateway. */
import { call, defineComposition } from 'plait';
import type { Composition, Service } from 'plait';
import { expect, vi } from 'vitest';
import { neverSheds } from '../../src/edge/overload.ts';
import { startRedis } from '../support/redis.ts';
import type { Upstream } from '../support/upstream.ts';
import { settled } from '../support/settled.ts';
import { get, summary, value } from './_stage.ts';
import type { Situation } from './_stage.ts';
import { until } from './_traced-shop.ts';

/** Cached for a minute, and five times a minute. */
const keptAndLimited = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    rateLimit: { limit: 5, windowS: 60, by: 'address' },
    compose: ({ params: { name } }) => ({
      kept: call(get(shop, 'kept', { cache: { ttlMs: 60_000 } }), { name }),
    }),
  });

const shed = (how: Partial<typeof neverSheds>): Situation =>
  async function shedding({ start, clock }) {
    const { ask, upstream } = await start({
      compose: summary,
      overload: { ...neverSheds, ...how },
    });
    const asked = ask('a');
    const answers = ['orders', 'shipments'].map((name) => upstream.next(`GET /${name}/a`));
    for (const arrival of how.shedsSteps === undefined ? [] : answers) {
      // oxlint-disable-next-line no-await-in-loop -- one answer after the other
      (await arrival).answer(value);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await settled();
    }
    await asked.answer;
    clock.advance(1_000);
    // It is over.
    clock.advance(11_000);
    return [asked];
  };

/** By the name of the file that shows it. */
export const stateSituations: Readonly<Record<string, Situation>> = {
  'shed-request': shed({ retryAfterSeconds: () => 2 }),
  'shed-steps': shed({ shedsSteps: () => true }),

  async 'breaker-open'({ start, clock, look }) {
    const { ask, upstream } = await start({ policies: { breaker: { volume: 2, probes: 1 } } });
    for (const name of ['a', 'b']) {
      const { answer } = ask(name);
      // oxlint-disable-next-line no-await-in-loop -- one failure after the other
      await upstream.answer(`GET /parts/${name}`, {}, 503);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await answer;
    }
    const asked = ask('c');
    await asked.answer;
    await look();
    clock.advance(5_000);
    const probe = ask('d');
    await upstream.answer('GET /parts/d', value);
    await probe.answer;
    return [asked];
  },

  async 'bulkhead-wait'({ start, clock, look }) {
    const { ask, upstream } = await start({ policies: { bulkhead: { concurrency: 1 } } });
    ask('a');
    const holder = await upstream.next('GET /parts/a');
    const asked = await until(clock, 2, () => ask('b'));
    await look();
    clock.advance(90);
    holder.answer(value);
    const arrival = await upstream.next('GET /parts/b');
    clock.advance(10);
    arrival.answer(value);
    await asked.answer;
    return [asked];
  },

  async 'bulkhead-full'({ start, clock, look }) {
    const bulkhead = { concurrency: 1, queue: 0 };
    const { ask, upstream } = await start({ policies: { bulkhead } });
    ask('a');
    await upstream.next('GET /parts/a');
    clock.advance(10);
    const asked = ask('b');
    await asked.answer;
    await look();
    return [asked];
  },

  async 'address-ejected'({ start, clock, look }) {
    const policies = { ejection: { failures: 1 }, breaker: false } as const;
    const { ask, upstreams } = await start({ addresses: 2, policies });
    const [well, broken] = upstreams as [Upstream, Upstream];
    // By the clock's only random number, the second of two equals is chosen.
    const failed = ask('a');
    const arrival = await broken.next('GET /parts/a');
    clock.advance(30);
    arrival.answer({}, 503);
    await failed.answer;
    const asked = ask('b');
    const other = await well.next('GET /parts/b');
    clock.advance(30);
    other.answer(value);
    await asked.answer;
    await look();
    clock.advance(1_000);
    // It is used again.
    clock.advance(30_000);
    return [failed, asked];
  },

  async 'address-unwell'({ start, clock }) {
    const policies = { health: { path: '/livez', intervalMs: 1_000 } } as const;
    const { ask, upstreams } = await start({ addresses: 2, policies });
    const [well, broken] = upstreams as [Upstream, Upstream];
    for (const _ of [1, 2]) {
      clock.advance(1_000);
      // oxlint-disable-next-line no-await-in-loop -- one check after the other
      await Promise.all([well.answer('GET /livez', {}), broken.answer('GET /livez', {}, 503)]);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await settled();
    }
    const asked = ask('a');
    const arrival = await well.next('GET /parts/a');
    clock.advance(30);
    arrival.answer(value);
    await asked.answer;
    return [asked];
  },

  async 'redis-gone'({ start }) {
    const redis = await startRedis();
    const { ask, upstream, lines } = await start({
      compose: keptAndLimited,
      environment: { REDIS_URL: redis.url },
    });
    upstream.answerAll(() => value);
    const first = ask('a');
    await first.answer;
    await redis.kill();
    // The cache and the rate limits have a connection each.
    await vi.waitFor(() => expect(lines.join('').match(/"redis":"down"/g)).toHaveLength(2));
    const asked = ask('a');
    await asked.answer;
    await redis.restart();
    await vi.waitFor(() => expect(lines.join('').match(/"redis":"up"/g)).toHaveLength(2), 5_000);
    return [first, asked];
  },
};
