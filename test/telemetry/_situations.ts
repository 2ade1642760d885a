/** Situations in which an operator looks for the culprit: each asks a shop, and answers by hand. */
import {
  call,
  defineComposition,
  each,
  fallback,
  given,
  lookup,
  operation,
  optional,
  pages,
} from 'plait';
import type { Composition, Service } from 'plait';
import { vi } from 'vitest';
import { z } from 'zod';
import { neverSheds } from '../../src/edge/overload.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { items } from '../support/serve.ts';
import { until } from './_traced-shop.ts';
import type { Asked, Shop, ShopOptions } from './_traced-shop.ts';

export interface Stage {
  readonly clock: FakeClock;
  readonly start: (options?: Omit<ShopOptions, 'clock' | 'telemetry'>) => Promise<Shop>;
}

/** Resolves to the requests whose traces show the situation. */
export type Situation = (stage: Stage) => Promise<readonly Asked[]>;

const value = { value: 'A' };

const get = (shop: Service, name: string, more: object = {}) =>
  operation(shop, {
    name,
    route: `GET /${name}/:name`,
    response: z.object({ value: z.string() }),
    ...more,
  });

const listOf = (shop: Service) =>
  operation(shop, {
    name: 'list',
    route: 'GET /lists/:name',
    response: z.array(z.object({ id: z.string() })),
  });

const priceOf = (shop: Service) =>
  lookup(shop, {
    name: 'priceOf',
    route: 'GET /prices',
    keys: { query: 'ids' },
    by: 'id',
    item: z.object({ id: z.string() }),
    windowMs: 20,
  });

/** A required order, an optional payment, and a shipment with a second source. */
const summary = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 2_000,
    compose: ({ params: { name } }) => ({
      order: call(get(shop, 'orders'), { name }),
      payment: optional(call(get(shop, 'payments'), { name }), { withinMs: 800 }),
      shipment: fallback(call(get(shop, 'shipments'), { name }), () =>
        call(get(shop, 'archive'), { name }),
      ),
    }),
  });

const price = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 2_000,
    compose: ({ params: { name } }) => ({ price: call(priceOf(shop), { id: name }) }),
  });

const rows = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 2_000,
    compose: ({ params: { name } }) => ({
      rows: each(call(listOf(shop), { name }), ({ id }) => call(priceOf(shop), { id })),
    }),
  });

const inPages = (shop: Service): Composition => {
  const list = operation(shop, {
    name: 'list',
    route: 'GET /lists',
    query: z.object({ cursor: z.string().optional() }),
    response: z.object({
      items: z.array(z.object({ id: z.string() })),
      next: z.string().nullable(),
    }),
  });
  const next = { cursor: 'next', query: 'cursor' } as const;
  return defineComposition({
    route: 'GET /shop/:name',
    compose: () => ({ rows: pages(list, {}, { items: 'items', next }) }),
  });
};

const guarded = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    compose: ({ params: { name } }) => ({
      part: given(call(get(shop, 'maybe', { missing: 'null' }), { name }), (found) =>
        call(get(shop, 'parts'), { name: found.value }),
      ),
    }),
  });

const kept = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    compose: ({ params: { name } }) => ({
      kept: call(get(shop, 'kept', { cache: { ttlMs: 60_000, staleWhileRevalidateMs: 60_000 } }), {
        name,
      }),
    }),
  });

/** One part, which the service answers after `ms` with `answer`. */
const answered =
  (ms: number, answer: unknown, status = 200, policies: ShopOptions['policies'] = {}): Situation =>
  async ({ start, clock }) => {
    const { ask, upstream } = await start({ policies });
    const asked = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    clock.advance(ms);
    arrival.answer(answer, status);
    await asked.answer;
    return [asked];
  };

/** A summary whose parts are answered one after the other. */
const summarised =
  (answers: readonly (readonly [string, number])[]): Situation =>
  async ({ start, clock }) => {
    const { ask, upstream } = await start({ compose: summary });
    const asked = ask('a');
    for (const [name, status] of answers) {
      // oxlint-disable-next-line no-await-in-loop -- one answer after the other
      const arrival = await upstream.next(`GET /${name}/a`);
      clock.advance(40);
      arrival.answer(value, status);
      // oxlint-disable-next-line no-await-in-loop -- its step ends before the next answer
      await settled();
    }
    await asked.answer;
    return [asked];
  };

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40));

/** Two requests whose keys are in one batch; the service answers it after 700 ms. */
const batched =
  (answer: unknown, status: number): Situation =>
  async ({ start, clock }) => {
    const { ask, upstream } = await start({ compose: price });
    const first = await until(clock, 2, () => ask('a'));
    clock.advance(5);
    const second = await until(clock, 1, () => ask('b'));
    clock.advance(15);
    const batch = await upstream.next('GET /prices?ids=a,b');
    clock.advance(700);
    batch.answer(answer, status);
    await Promise.all([first.answer, second.answer]);
    return [first, second];
  };

const retry = { retry: { times: 1, minDelayMs: 40, maxDelayMs: 40 } };

const shed = (how: Partial<typeof neverSheds>): Situation =>
  async function shedding({ start }) {
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
    return [asked];
  };

/** By the name of the file that shows it. */
export const situations: Readonly<Record<string, Situation>> = {
  'slow-service': answered(700, value),
  'failing-service': answered(30, {}, 503),
  'not-found': answered(30, {}, 404),
  'refused-by-service': answered(30, {}, 401),
  'unparsable-answer': answered(30, Buffer.from('<html>')),
  'unexpected-shape': answered(30, { other: 1 }),
  'all-well': summarised([
    ['orders', 200],
    ['payments', 200],
    ['shipments', 200],
  ]),
  'degraded-by-failure': summarised([
    ['orders', 200],
    ['payments', 503],
    ['shipments', 200],
  ]),
  'second-source': summarised([
    ['orders', 200],
    ['payments', 200],
    ['shipments', 503],
    ['archive', 200],
  ]),
  'second-source-fails': summarised([
    ['orders', 200],
    ['payments', 200],
    ['shipments', 503],
    ['archive', 500],
  ]),
  'cancelled-by-failure': summarised([['orders', 500]]),
  'shed-request': shed({ retryAfterSeconds: () => 2 }),
  'shed-steps': shed({ shedsSteps: () => true }),
  'batch-of-others': batched([{ id: 'a' }, { id: 'b' }], 200),
  'batch-of-others-fails': batched({}, 503),

  async 'late-part'({ start, clock }) {
    const { ask, upstream } = await start({ compose: summary });
    const asked = ask('a');
    await upstream.answer('GET /orders/a', value);
    await settled();
    await upstream.answer('GET /shipments/a', value);
    await settled();
    await upstream.next('GET /payments/a');
    clock.advance(800);
    await asked.answer;
    return [asked];
  },

  async retried({ start, clock }) {
    const { ask, upstream } = await start({ policies: retry });
    const asked = ask('a');
    const first = await upstream.next('GET /parts/a');
    const before = clock.pending;
    first.answer({}, 503);
    // The timeout of the attempt ends, and the pause begins.
    await vi.waitFor(() => settled());
    await vi.waitFor(() => {
      if (clock.pending > before) throw new Error('the attempt is under way still');
    });
    clock.advance(40);
    const second = await upstream.next('GET /parts/a');
    clock.advance(20);
    second.answer(value);
    await asked.answer;
    return [asked];
  },

  async hedged({ start, clock }) {
    const { ask, upstream } = await start({ policies: { hedge: {} } });
    for (let count = 0; count < 20; count += 1) {
      const { answer } = ask(`earlier${count}`, '00');
      // oxlint-disable-next-line no-await-in-loop -- one answer after the other
      const arrival = await upstream.next(`GET /parts/earlier${count}`);
      clock.advance(10);
      arrival.answer(value);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await answer;
    }
    const asked = ask('a');
    const first = await upstream.next('GET /parts/a');
    clock.advance(10);
    const second = await upstream.next('GET /parts/a');
    clock.advance(15);
    second.answer(value);
    await asked.answer;
    await first.abandoned;
    return [asked];
  },

  async 'pages-of-a-list'({ start, clock }) {
    const { ask, upstream } = await start({ compose: inPages });
    const asked = ask('a');
    for (const [query, next] of [
      ['', '2'],
      ['?cursor=2', '3'],
      ['?cursor=3', null],
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- each page names the next one
      const arrival = await upstream.next(`GET /lists${query}`);
      clock.advance(30);
      arrival.answer({ items: items(2), next });
    }
    await asked.answer;
    return [asked];
  },

  async 'attempt-timeout'({ start, clock }) {
    const { ask, upstream } = await start({ policies: { timeoutMs: 300 } });
    const asked = ask('a');
    await upstream.next('GET /parts/a');
    clock.advance(300);
    await asked.answer;
    return [asked];
  },

  async deadline({ start, clock }) {
    const { ask, upstream } = await start({ policies: { timeoutMs: 9_000 } });
    const asked = ask('a');
    await upstream.next('GET /parts/a');
    clock.advance(5_000);
    await asked.answer;
    return [asked];
  },

  async 'client-disconnects'({ start, clock }) {
    const { ask, upstream } = await start();
    const asked = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    clock.advance(120);
    asked.leave();
    await arrival.abandoned;
    return [asked];
  },

  async 'connection-reset'({ start, clock }) {
    const { ask, upstream } = await start();
    const asked = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    clock.advance(30);
    arrival.reset();
    await asked.answer;
    return [asked];
  },

  async 'breaker-open'({ start }) {
    const { ask, upstream } = await start({ policies: { breaker: { volume: 2 } } });
    for (const name of ['a', 'b']) {
      const { answer } = ask(name);
      // oxlint-disable-next-line no-await-in-loop -- one failure after the other
      await upstream.answer(`GET /parts/${name}`, {}, 503);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await answer;
    }
    const asked = ask('c');
    await asked.answer;
    return [asked];
  },

  async 'bulkhead-wait'({ start, clock }) {
    const { ask, upstream } = await start({ policies: { bulkhead: { concurrency: 1 } } });
    ask('a');
    const holder = await upstream.next('GET /parts/a');
    const asked = await until(clock, 2, () => ask('b'));
    clock.advance(90);
    holder.answer(value);
    const arrival = await upstream.next('GET /parts/b');
    clock.advance(10);
    arrival.answer(value);
    await asked.answer;
    return [asked];
  },

  async 'bulkhead-full'({ start, clock }) {
    const bulkhead = { concurrency: 1, queue: 0 };
    const { ask, upstream } = await start({ policies: { bulkhead } });
    ask('a');
    await upstream.next('GET /parts/a');
    clock.advance(10);
    const asked = ask('b');
    await asked.answer;
    return [asked];
  },

  async 'call-of-others'({ start, clock }) {
    const { ask, upstream } = await start();
    const first = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    clock.advance(5);
    const second = await until(clock, 1, () => ask('a'));
    clock.advance(700);
    arrival.answer(value);
    await Promise.all([first.answer, second.answer]);
    return [first, second];
  },

  async 'list-of-100'({ start, clock }) {
    const { ask, upstream } = await start({ compose: rows });
    const asked = ask('a');
    const list = await upstream.next('GET /lists/a');
    const before = clock.pending;
    list.answer(items(100));
    await vi.waitFor(() => {
      if (clock.pending < before) throw new Error('the window is not open yet');
    });
    await settled();
    clock.advance(20);
    const keys = items(100).map(({ id }) => id);
    const batch = await upstream.next(`GET /prices?ids=${keys.join(',')}`);
    clock.advance(60);
    batch.answer(items(100));
    await asked.answer;
    return [asked];
  },

  async 'nothing-to-run-on'({ start, clock }) {
    const { ask, upstream } = await start({ compose: guarded });
    const asked = ask('a');
    const arrival = await upstream.next('GET /maybe/a');
    clock.advance(30);
    arrival.answer({}, 404);
    await asked.answer;
    return [asked];
  },

  async 'step-inside-given-fails'({ start, clock }) {
    const { ask, upstream } = await start({ compose: guarded });
    const asked = ask('a');
    await upstream.answer('GET /maybe/a', { value: 'b' });
    const arrival = await upstream.next('GET /parts/b');
    clock.advance(30);
    arrival.answer({}, 500);
    await asked.answer;
    return [asked];
  },

  async 'answer-from-cache'({ start, clock }) {
    const { ask, upstream } = await start({ compose: kept });
    upstream.answerAll(() => value);
    await ask('a').answer;
    clock.advance(1_000);
    const asked = ask('a');
    await asked.answer;
    return [asked];
  },

  async 'stale-answer'({ start, clock }) {
    const { ask, upstream } = await start({ compose: kept });
    upstream.answerAll(() => value);
    await ask('a').answer;
    clock.advance(60_001);
    const asked = ask('a');
    await asked.answer;
    await settled();
    return [asked];
  },

  async redirected({ start, clock }) {
    const { ask, upstream } = await start({ policies: { redirects: 'follow' } });
    const asked = ask('a');
    await upstream.answer('GET /parts/a', {}, 302, { location: '/moved/a' });
    const arrival = await upstream.next('GET /moved/a');
    clock.advance(30);
    arrival.answer(value);
    await asked.answer;
    return [asked];
  },
};
