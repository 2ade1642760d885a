/** Situations in which requests share a batch or a call, or a lookup asks for many keys. */
import { call, defineComposition, each, operation } from 'plait';
import type { Composition, Service } from 'plait';
import { vi } from 'vitest';
import { z } from 'zod';
import { items } from '../support/serve.ts';
import { pricesIn } from './_shop-operations.ts';
import { settled } from '../support/settled.ts';
import { value } from './_stage.ts';
import type { Situation, Stage } from './_stage.ts';
import { until } from './_traced-shop.ts';

const listOf = (shop: Service) =>
  operation(shop, {
    name: 'list',
    route: 'GET /lists/:name',
    response: z.array(z.object({ id: z.string() })),
  });

const price = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 2_000,
    compose: ({ params: { name } }) => ({ price: call(pricesIn(shop), { id: name }) }),
  });

const rows = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 2_000,
    compose: ({ params: { name } }) => ({
      rows: each(call(listOf(shop), { name }), ({ id }) => call(pricesIn(shop), { id })),
    }),
  });

/** Two requests whose keys are in one batch, which is on its way. */
async function startBatch({ start, clock }: Pick<Stage, 'start' | 'clock'>) {
  const shop = await start({ compose: price });
  const first = await until(clock, 2, () => shop.ask('a'));
  clock.advance(5);
  const second = await until(clock, 1, () => shop.ask('b'));
  clock.advance(15);
  return { ...shop, first, second };
}

/** The service answers it after 700 ms. */
const batched =
  (answer: unknown, status: number): Situation =>
  async ({ start, clock }) => {
    const { first, second, upstream } = await startBatch({ start, clock });
    const batch = await upstream.next('GET /prices?ids=a,b');
    clock.advance(700);
    batch.answer(answer, status);
    await Promise.all([first.answer, second.answer]);
    return [first, second];
  };

/** By the name of the file that shows it. */
export const sharingSituations: Readonly<Record<string, Situation>> = {
  'batch-of-others': batched([{ id: 'a' }, { id: 'b' }], 200),
  'batch-of-others-fails': batched({}, 503),

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

  async 'batch-at-the-deadline'({ start, clock }) {
    const { first, second, upstream } = await startBatch({ start, clock });
    const batch = await upstream.next('GET /prices?ids=a,b');
    clock.advance(2_000);
    await Promise.all([first.answer, second.answer, batch.abandoned]);
    return [first, second];
  },

  async 'batch-of-an-unrecorded-request'({ start, clock }) {
    const { ask, upstream } = await start({ compose: price });
    await until(clock, 2, () => ask('a', '00'));
    clock.advance(20);
    const batch = await upstream.next('GET /prices?ids=a');
    const asked = await until(clock, 1, () => ask('a'));
    clock.advance(700);
    batch.answer({}, 503);
    await asked.answer;
    return [asked];
  },

  async 'call-of-an-unrecorded-request'({ start, clock }) {
    const { ask, upstream } = await start();
    ask('a', '00');
    const arrival = await upstream.next('GET /parts/a');
    const asked = await until(clock, 1, () => ask('a'));
    clock.advance(700);
    arrival.answer(value);
    await asked.answer;
    return [asked];
  },

  async 'doubtful-lookup'({ start, clock }) {
    const { ask, upstream } = await start({ compose: price });
    const asked = await until(clock, 2, () => ask('a'));
    clock.advance(20);
    const batch = await upstream.next('GET /prices?ids=a');
    clock.advance(30);
    batch.answer([{ id: 'A' }]);
    await asked.answer;
    return [asked];
  },
};
