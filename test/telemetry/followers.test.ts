/** Steps that wait for an equal call of their request, and steps whose dispatch was made good. */
import { call, defineComposition, each, given, lookup, operation, optional } from 'plait';
import type { Composition, Service } from 'plait';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createFakeClock } from '../support/fake-clock.ts';
import { items, value } from '../support/serve.ts';
import { partIn, pricesIn } from './_shop-operations.ts';
import { startTracedShop, until } from './_traced-shop.ts';
import { only, startTraced, strays } from './_traced.ts';

/** Answers, and waits until the steps that need the answer have begun. */
async function pass(answer: () => void): Promise<void> {
  const before = clock.pending;
  answer();
  // The timeout of its attempt ends.
  await vi.waitFor(() => expect(clock.pending).toBeLessThan(before), { interval: 1 });
  await new Promise((resolve) => setImmediate(resolve));
}

/** It stands still until it is told to go on. */
const clock = createFakeClock();
const { telemetry, expectTrace } = await startTraced({
  clock,
  environment: { TRUSTED_PEERS: '127.0.0.0/8' },
});

const byId = { by: 'id', item: z.object({ id: z.string() }) } as const;

const lookups = {
  'a lookup': (shop: Service) => lookup(shop, { ...inQuery, ...byId }),
  'a lookup with a cache': (shop: Service) =>
    lookup(shop, { ...inQuery, ...byId, cache: { ttlMs: 60_000 } }),
  'a lookup for one key at a time': (shop: Service) =>
    lookup(shop, { name: 'priceOf', single: 'GET /prices/:id', ...byId }),
};

const inQuery = { name: 'priceOf', route: 'GET /prices', keys: { query: 'ids' } } as const;

/** The second time only once the part is known, as all that is answered with its name. */
const priceTwice =
  (kind: keyof typeof lookups) =>
  (shop: Service): Composition => {
    const price = lookups[kind](shop);
    return defineComposition({
      route: 'GET /shop/:name',
      deadlineMs: 5_000,
      compose: ({ params: { name } }) => ({
        price: optional(call(price, { id: name })),
        again: given(call(partIn(shop), { name }), (part) =>
          optional(call(price, { id: part.value })),
        ),
      }),
    });
  };

describe('a step whose key is under way for another step of its request', () => {
  it.each([
    ['a lookup', '01', 200],
    ['a lookup', '00', 503],
    ['a lookup with a cache', '01', 503],
    ['a lookup with a cache', '00', 200],
    ['a lookup for one key at a time', '01', 503],
    ['a lookup for one key at a time', '00', 503],
  ] as const)('says who has served it: %s, begun with flag %s, answered %d', async (...one) => {
    const [kind, flag, status] = one;
    const compose = priceTwice(kind);
    const { ask, upstream } = await startTracedShop({ clock, telemetry, compose });
    const isSingle = kind === 'a lookup for one key at a time';
    const path = isSingle ? 'GET /prices/a' : 'GET /prices?ids=a';
    const begun = ask('a', flag);
    const price = await upstream.next(path);
    const part = await upstream.next('GET /parts/a');
    // It joins the call that is not recorded.
    const asked = flag === '01' ? begun : await until(clock, 1, () => ask('a'));
    await pass(() => part.answer(value('a')));
    clock.advance(300);
    price.answer(isSingle ? { id: 'a' } : [{ id: 'a' }], status);
    await asked.answer;
    const failure = status === 200 ? '' : ` error.type=${status}`;
    const spans = await expectTrace(asked.traceId)`${traceOf({ kind, flag, failure, status })}`;
    const step = only(spans, 'step again.priceOf');
    expect(step.attributes).toMatchObject({
      'service.peer.name': 'shop',
      'plait.step.service_ms': 300,
    });
  });
});

function traceOf({ kind, flag, failure, status }: Readonly<Record<string, string | number>>) {
  const isCached = kind === 'a lookup with a cache' && status === 200;
  const cache = isCached ? ' cache=miss' : '';
  const error = failure === '' ? '' : ' ERROR';
  const follows = status === 200 ? ' deduplicated' : '';
  const served = `status=${status}${failure} optional${follows}${cache} batched attempts=1 size=1${error}`;
  const degraded = failure === '' ? '' : ' degraded=price,again.priceOf';
  if (flag === '00')
    return `
      SERVER GET /shop/{name}  status=200${degraded}
        INTERNAL step price  ${served}
        INTERNAL step part  status=200 deduplicated coalesced attempts=1
        INTERNAL step again
          INTERNAL step again.priceOf  ${served}
    `;
  const template = kind === 'a lookup for one key at a time' ? '/prices/{id}' : '/prices';
  return `
    SERVER GET /shop/{name}  status=200${degraded}
      INTERNAL step price ${failure} optional${cache}${error}
        CLIENT GET ${template}  status=${status}${failure}${error}
      INTERNAL step part
        CLIENT GET /parts/{name}  status=200
      INTERNAL step again
        INTERNAL step again.priceOf  ${served} links=1
  `;
}

/** `one` asks for the part of the first item once more. */
function partsOfList(shop: Service): Composition {
  const list = operation(shop, {
    name: 'list',
    route: 'GET /lists/:name',
    response: z.array(z.object({ id: z.string() })),
  });
  const part = partIn(shop);
  return defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 5_000,
    compose({ params: { name } }) {
      const found = call(list, { name });
      return {
        rows: each(found, ({ id }) => call(part, { name: id })),
        one: given(found, () => call(part, { name: '1' })),
      };
    },
  });
}

describe('a step that ends before the list whose call it follows', () => {
  it('says who has served it, where that joined a call that nobody recorded', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry, compose: partsOfList });
    ask('a', '00');
    await upstream.answer('GET /lists/a', items(2));
    const [first, second] = await Promise.all([
      upstream.next('GET /parts/1'),
      upstream.next('GET /parts/2'),
    ]);
    const asked = ask('b');
    const list = await upstream.next('GET /lists/b');
    await pass(() => list.answer(items(2)));
    clock.advance(100);
    await pass(() => first.answer(value('1')));
    clock.advance(200);
    second.answer(value('2'));
    expect((await asked.answer).status).toBe(200);
    const spans = await expectTrace(asked.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step list
          CLIENT GET /lists/{name}  status=200
        INTERNAL step rows  status=200 items=2 coalesced attempts=1
        INTERNAL step one
          INTERNAL step one.part  status=200 deduplicated coalesced attempts=1
    `;
    const took = ['step rows', 'step one.part'].map(
      (name) => only(spans, name).attributes['plait.step.service_ms'],
    );
    expect(took).toEqual([300, 100]);
  });
});

const pricesOf = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:id',
    deadlineMs: 5_000,
    compose: ({ params: { id } }) => ({ price: call(pricesIn(shop), { id }) }),
  });

describe('a step that was answered although a dispatch that it joined has failed', () => {
  it('is no error of a service where the keys of others were refused', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry, compose: pricesOf });
    const first = await until(clock, 2, () => ask('bad'));
    const second = await until(clock, 1, () => ask('a'));
    clock.advance(20);
    await upstream.answer('GET /prices?ids=bad,a', {}, 400);
    await upstream.answer('GET /prices?ids=bad', {}, 400);
    await upstream.answer('GET /prices?ids=a', [{ id: 'a' }]);
    expect([(await first.answer).status, (await second.answer).status]).toEqual([400, 200]);
    await expectTrace(second.traceId)`
      SERVER GET /shop/{id}  status=200
        INTERNAL step price  status=400 batched attempts=1 size=2 loads=2 links=1 @batch @batch
          CLIENT GET /prices  status=200
    `;
  });

  it('names the one that has answered, where a shorter time has made the first fail', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry });
    const within = (ms: number) =>
      ask('a', '01', { headers: { 'x-request-timeout-ms': String(ms) } });
    within(1_000);
    const arrival = await upstream.next('GET /parts/a');
    const second = await until(clock, 1, () => within(1_500));
    const third = await until(clock, 1, () => within(1_700));
    clock.advance(950);
    arrival.answer({}, 504);
    const again = await upstream.next('GET /parts/a');
    clock.advance(100);
    again.answer(value('A'));
    expect([(await second.answer).status, (await third.answer).status]).toEqual([200, 200]);
    const spans = await expectTrace(third.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part  status=504 deduplicated coalesced attempts=1 links=1
          CLIENT GET /parts/{name}  status=200
    `;
    const others = await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part  status=200 coalesced attempts=1 links=1
    `;
    const { traceId, spanId } = only(spans, 'GET /parts/{name}');
    expect(only(others, 'step part').links).toEqual([{ traceId, spanId }]);
  });
});

/** Not shared with other requests. */
const hedgedTwice = (shop: Service): Composition => {
  const response = z.object({ value: z.string() });
  const own = { name: 'part', route: 'GET /parts/:name', response, coalesce: false } as const;
  const part = operation(shop, own);
  return defineComposition({
    route: 'GET /shop/:name',
    compose: ({ params: { name } }) => ({
      part: call(part, { name }),
      again: call(part, { name }),
    }),
  });
};

describe('a step that follows a call which was hedged', () => {
  it('has the answer of the faster attempt', async () => {
    const policies = { hedge: {} };
    const compose = hedgedTwice;
    const { ask, upstream } = await startTracedShop({ clock, telemetry, compose, policies });
    for (let count = 0; count < 20; count += 1) {
      const { answer } = ask(`earlier${count}`, '00');
      // oxlint-disable-next-line no-await-in-loop -- one answer after the other
      const arrival = await upstream.next(`GET /parts/earlier${count}`);
      clock.advance(10);
      arrival.answer(value('A'));
      // oxlint-disable-next-line no-await-in-loop -- see above
      await answer;
    }
    const asked = ask('a');
    const slow = await upstream.next('GET /parts/a');
    clock.advance(10);
    const fast = await upstream.next('GET /parts/a');
    clock.advance(15);
    fast.answer(value('A'));
    await Promise.all([asked.answer, slow.abandoned]);
    const spans = await expectTrace(asked.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part
          CLIENT GET /parts/{name}  cancelled
          CLIENT GET /parts/{name}  status=200 resend=1
        INTERNAL step again  status=200 deduplicated attempts=2 links=1
    `;
    expect(only(spans, 'step again').attributes['plait.step.service_ms']).toBe(15);
  });
});

/** Asks once more when that is under way, and has 100 ms for it. */
const lateCall = (shop: Service): Composition => {
  const part = partIn(shop);
  return defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 5_000,
    compose: ({ params: { name } }) => ({
      asked: call(part, { name }),
      again: given(call(operationOf(shop, 'first'), { name }), () => ({
        late: optional(call(part, { name }), { withinMs: 100 }),
        other: call(operationOf(shop, 'other'), { name }),
      })),
    }),
  });
};

const lateKey =
  (kind: keyof typeof lookups) =>
  (shop: Service): Composition => {
    const price = lookups[kind](shop);
    return defineComposition({
      route: 'GET /shop/:name',
      deadlineMs: 5_000,
      compose: ({ params: { name } }) => ({
        asked: call(price, { id: name }),
        again: given(call(operationOf(shop, 'first'), { name }), () => ({
          late: optional(call(price, { id: name }), { withinMs: 100 }),
          other: call(operationOf(shop, 'other'), { name }),
        })),
      }),
    });
  };

describe('a step that takes longer than its withinMs', () => {
  it.each([
    ['an operation', 'GET /parts/a', '/parts/{name}', lateCall],
    ['a lookup', 'GET /prices?ids=a', '/prices', lateKey('a lookup')],
    ['a cache', 'GET /prices?ids=a', '/prices', lateKey('a lookup with a cache')],
    ['single', 'GET /prices/a', '/prices/{id}', lateKey('a lookup for one key at a time')],
  ] as const)('names the dispatch of %s that it has waited for', async (...one) => {
    const [kind, request, template, compose] = one;
    const { ask, upstream } = await startTracedShop({ clock, telemetry, compose });
    const asked = ask('a');
    const slow = await upstream.next(request);
    await upstream.answer('GET /first/a', value('a'));
    const other = await upstream.next('GET /other/a');
    clock.advance(100);
    other.answer(value('a'));
    slow.answer(
      kind === 'a lookup' || kind === 'a cache' ? [{ id: 'a' }] : { id: 'a', ...value('a') },
    );
    expect((await asked.answer).status).toBe(200);
    const way = kind === 'an operation' ? 'deduplicated attempts=1' : 'batched attempts=1 size=1';
    const cache = kind === 'a cache' ? '  cache=miss' : '';
    const spans = await expectTrace(asked.traceId)`
      SERVER GET /shop/{name}  status=200 degraded=again.late
        INTERNAL step asked${cache}
          CLIENT GET ${template}  status=200
        INTERNAL step first
          CLIENT GET /first/{name}  status=200
        INTERNAL step again
          INTERNAL step again.late  error.type=late optional ${way} ERROR links=1
          INTERNAL step again.other
            CLIENT GET /other/{name}  status=200
    `;
    expect(only(spans, 'step again.late').attributes['service.peer.name']).toBe('shop');
  });
});

function operationOf(shop: Service, name: string) {
  const response = z.object({ value: z.string() });
  return operation(shop, { name, route: `GET /${name}/:name`, response });
}

/** A culprit beside a part, and a `given` that asks for the culprit once more. */
const withCulprit = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 5_000,
    compose({ params: { name } }) {
      const culprit = operationOf(shop, 'culprit');
      return {
        culprit: call(culprit, { name }),
        part: call(partIn(shop), { name }),
        again: given(call(operationOf(shop, 'first'), { name }), () => ({
          culprit: call(culprit, { name }),
          other: call(operationOf(shop, 'other'), { name }),
        })),
      };
    },
  });

describe('a step that ends since another one has failed', () => {
  it('is within the step around it, and before the culprit', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry, compose: withCulprit });
    const asked = ask('a');
    const culprit = await upstream.next('GET /culprit/a');
    const first = await upstream.next('GET /first/a');
    first.answer(value('a'));
    await upstream.next('GET /other/a');
    culprit.answer({}, 501);
    expect((await asked.answer).status).toBe(502);
    const spans = await expectTrace(asked.traceId)`
      SERVER GET /shop/{name}  status=502 error.type=501 ERROR
        INTERNAL step culprit  error.type=501 ERROR
          CLIENT GET /culprit/{name}  status=501 error.type=501 ERROR
        INTERNAL step part  cancelled
          CLIENT GET /parts/{name}  cancelled
        INTERNAL step first
          CLIENT GET /first/{name}  status=200
        INTERNAL step again  cancelled
          INTERNAL step again.culprit  status=501 error.type=501 deduplicated attempts=1 ERROR links=1
          INTERNAL step again.other  cancelled
            CLIENT GET /other/{name}  cancelled
    `;
    expect(strays(spans)).toEqual([]);
    const end = (name: string) => only(spans, name).endTimeUnixNano;
    expect(end('step again.culprit')).toBeLessThan(end('step culprit'));
  });

  it('has no error of a call of others that is made again', async () => {
    const policies = { retry: { times: 1, minDelayMs: 40, maxDelayMs: 40 } };
    const options = { clock, telemetry, compose: withCulprit, policies };
    const { ask, upstream } = await startTracedShop(options);
    ask('a', '00');
    const [part] = await Promise.all([
      upstream.next('GET /parts/a'),
      upstream.next('GET /first/a'),
      upstream.next('GET /culprit/a'),
    ]);
    const asked = await until(clock, 1, () => ask('a'));
    const before = clock.pending;
    part.answer({}, 503);
    // Its timeout ends, and the pause before the next attempt begins and ends.
    await vi.waitFor(() => {
      clock.advance(40);
      expect(upstream.asked().filter((one) => one === 'GET /parts/a')).toHaveLength(2);
    });
    expect(clock.pending).toBe(before);
    await until(clock, -1, asked.leave);
    await expectTrace(asked.traceId)`
      SERVER GET /shop/{name}  status=499 cancelled
        INTERNAL step culprit  cancelled coalesced attempts=1
        INTERNAL step part  status=503 cancelled coalesced attempts=2
        INTERNAL step first  cancelled coalesced attempts=1
    `;
  });
});

describe('a list that has one key several times', () => {
  it.each(['a lookup', 'a lookup for one key at a time'] as const)(
    'has no span of a batch: %s',
    async (kind) => {
      const compose = (shop: Service): Composition => {
        const price = lookups[kind](shop);
        const list = operation(shop, {
          name: 'list',
          route: 'GET /lists/:name',
          response: z.array(z.object({ id: z.string() })),
        });
        return defineComposition({
          route: 'GET /shop/:name',
          compose: ({ params: { name } }) => ({
            rows: each(call(list, { name }), ({ id }) => call(price, { id })),
          }),
        });
      };
      const { ask, upstream } = await startTracedShop({ clock, telemetry, compose });
      const asked = ask('a');
      await upstream.answer('GET /lists/a', [...items(1), ...items(1), ...items(1)]);
      if (kind === 'a lookup') await upstream.answer('GET /prices?ids=1', items(1));
      else await upstream.answer('GET /prices/1', { id: '1' });
      expect((await asked.answer).status).toBe(200);
      await expectTrace(asked.traceId)`
        SERVER GET /shop/{name}  status=200
          INTERNAL step list
            CLIENT GET /lists/{name}  status=200
          INTERNAL step rows  items=3
            CLIENT GET ${kind === 'a lookup' ? '/prices' : '/prices/{id}'}  status=200
      `;
    },
  );
});
