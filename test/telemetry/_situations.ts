/** Situations in which an operator looks for the culprit: each asks a shop, and answers by hand. */
import { call, defineComposition, given, operation, pages } from 'plait';
import type { Composition, Service } from 'plait';
import { vi } from 'vitest';
import { z } from 'zod';
import { items } from '../support/serve.ts';
import { settled } from '../support/settled.ts';
import { get, kept, summary, value } from './_stage.ts';
import type { Situation } from './_stage.ts';
import type { ShopOptions } from './_traced-shop.ts';

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

const retry = { retry: { times: 1, minDelayMs: 40, maxDelayMs: 40 } };

/** By the name of the file that shows it. */
export const situations: Readonly<Record<string, Situation>> = {
  'slow-service': answered(700, value),
  'failing-service': answered(30, {}, 503),
  'not-found': answered(30, {}, 404),
  'refused-by-service': answered(30, {}, 401),
  'unparsable-answer': answered(30, Buffer.from('<html>')),
  'unexpected-shape': answered(30, { other: 1 }),
  'too-large-answer': answered(30, { value: 'A'.repeat(99) }, 200, { maxBodyBytes: 50 }),
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
    await settled();
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
      ['?cursor=3', '4'],
      ['?cursor=4', null],
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

  async 'refresh-fails'({ start, clock }) {
    const { ask, upstream } = await start({ compose: kept });
    const first = ask('a');
    await upstream.answer('GET /kept/a', value);
    await first.answer;
    clock.advance(60_001);
    const asked = ask('a');
    await upstream.answer('GET /kept/a', {}, 503);
    await asked.answer;
    await settled();
    return [asked];
  },

  async 'connection-refused'({ start }) {
    const { ask } = await start({ environment: { SHOP_URL: 'http://127.0.0.1:9' } });
    const asked = ask('a');
    await asked.answer;
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
