/** Calls that are shared, as traces: in a batch, between requests, by a cache. */
import { call, defineComposition, lookup, operation } from 'plait';
import type { Composition, Service } from 'plait';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { value } from '../support/serve.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTracedShop, until } from './_traced-shop.ts';
import { only, startTraced, strays } from './_traced.ts';

/** It stands still until it is told to go on. */
const clock = createFakeClock();
const { telemetry, sink, expectTrace } = await startTraced({ clock });

/** `GET /shop/a` asks for `GET /prices?ids=a`, with what others ask for in the next 20 ms. */
function priceOf(shop: Service): Composition {
  const price = lookup(shop, {
    name: 'priceOf',
    route: 'GET /prices',
    keys: { query: 'ids' },
    by: 'id',
    item: z.object({ id: z.string(), price: z.number() }),
    windowMs: 20,
  });
  return defineComposition({
    route: 'GET /shop/:id',
    compose: ({ params }) => ({ price: call(price, { id: params.id }) }),
  });
}

describe('a batch of two requests', () => {
  it('is in the trace of the first, and linked to the step of the other', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry, compose: priceOf });
    // Its deadline, and the window.
    const first = await until(clock, 2, () => ask('a'));
    clock.advance(5);
    const second = await until(clock, 1, () => ask('b'));
    clock.advance(15);
    const prices = ['a', 'b'].map((id) => ({ id, price: 1 }));
    await upstream.answer('GET /prices?ids=a,b', prices);
    expect((await first.answer).json).toEqual({ price: prices[0] });
    expect((await second.answer).json).toEqual({ price: prices[1] });

    const spans = await expectTrace(first.traceId)`
      SERVER GET /shop/{id}  status=200
        INTERNAL step price  @batch
          INTERNAL batch shop.priceOf  size=2 loads=2 links=1
            CLIENT GET /prices  status=200
    `;
    const others = await expectTrace(second.traceId)`
      SERVER GET /shop/{id}  status=200
        INTERNAL step price  status=200 batched attempts=1 size=2 loads=2 links=1 @batch
    `;
    expect(strays(spans)).toEqual([]);
    expect(strays(others)).toEqual([]);
    const batch = only(spans, 'batch shop.priceOf');
    const { traceId, spanId } = only(others, 'step price');
    expect(batch.links).toEqual([{ traceId, spanId }]);
    expect(batch.attributes['plait.batch.wait_ms']).toBe(20);
  });

  it('is in the trace of the other when the first has left before it was sent', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry, compose: priceOf });
    const first = await until(clock, 2, () => ask('a'));
    const second = await until(clock, 1, () => ask('a'));
    await until(clock, -1, first.leave);
    clock.advance(20);
    await upstream.answer('GET /prices?ids=a', [{ id: 'a', price: 1 }]);
    expect((await second.answer).status).toBe(200);
    const traces = new Set([first.traceId, second.traceId]);
    const attempts = () =>
      sink.spans.filter(({ name, traceId }) => name === 'GET /prices' && traces.has(traceId));
    await vi.waitFor(() => expect(attempts()).toHaveLength(1));
    expect(attempts().map(({ traceId }) => traceId)).toEqual([second.traceId]);
  });
});

describe('identical calls of two requests', () => {
  it('are one call, in the trace of the first', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry });
    const first = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    const second = await until(clock, 1, () => ask('a'));
    arrival.answer(value('A'));
    expect((await first.answer).status).toBe(200);
    expect((await second.answer).status).toBe(200);
    const spans = await expectTrace(first.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part
          CLIENT GET /parts/{name}  status=200
    `;
    expect(strays(spans)).toEqual([]);
    const others = await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part  status=200 deduplicated coalesced attempts=1 links=1
    `;
    expect(strays(others)).toEqual([]);
  });

  it('go on when the first client leaves', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry });
    const first = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    const second = await until(clock, 1, () => ask('a'));
    // The deadline of the first.
    await until(clock, -1, first.leave);
    arrival.answer(value('A'));
    expect((await second.answer).status).toBe(200);
    await expectTrace(first.traceId)`
      SERVER GET /shop/{name}  status=499 cancelled
        INTERNAL step part  cancelled
          CLIENT GET /parts/{name}  status=200
    `;
    await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part  status=200 deduplicated coalesced attempts=1 links=1
    `;
  });
});

/** The SDK warns of events of spans that have ended, and `startTraced` lets no warning pass. */
describe('a call whose first client has left', () => {
  const policies = {
    retry: { times: 1, minDelayMs: 40, maxDelayMs: 40 },
    bulkhead: { concurrency: 1 },
  };

  it('waits for another attempt without an event of the step that began it', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry, policies });
    const first = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    const second = await until(clock, 1, () => ask('a'));
    await until(clock, -1, first.leave);
    arrival.answer({}, 503);
    await vi.waitFor(() => {
      clock.advance(40);
      expect(upstream.asked()).toHaveLength(2);
    });
    await upstream.answer('GET /parts/a', value('A'));
    expect((await second.answer).status).toBe(200);
    await expectTrace(first.traceId)`
      SERVER GET /shop/{name}  status=499 cancelled
        INTERNAL step part  cancelled
          CLIENT GET /parts/{name}  status=503 error.type=503 ERROR
          CLIENT GET /parts/{name}  status=200 resend=1 delay_ms=40
    `;
  });

  it('waits for a permit without one', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry, policies });
    ask('other');
    const other = await upstream.next('GET /parts/other');
    const first = await until(clock, 2, () => ask('a'));
    const second = await until(clock, 1, () => ask('a'));
    await until(clock, -1, first.leave);
    clock.advance(30);
    other.answer(value('O'));
    await upstream.answer('GET /parts/a', value('A'));
    expect((await second.answer).status).toBe(200);
    await expectTrace(first.traceId)`
      SERVER GET /shop/{name}  status=499 cancelled
        INTERNAL step part  cancelled
          CLIENT GET /parts/{name}  status=200 wait_ms=30
    `;
  });
});

/** `GET /shop/a` asks for `GET /kept/a`, unless that is known for a minute, or for two while it is refreshed. */
function keptOf(shop: Service): Composition {
  const kept = operation(shop, {
    name: 'kept',
    route: 'GET /kept/:name',
    response: z.object({ value: z.string() }),
    cache: { ttlMs: 60_000, staleWhileRevalidateMs: 60_000 },
  });
  return defineComposition({
    route: 'GET /shop/:name',
    compose: ({ params }) => ({ kept: call(kept, { name: params.name }) }),
  });
}

async function startKept() {
  const { ask, upstream } = await startTracedShop({ clock, telemetry, compose: keptOf });
  upstream.answerAll(() => value('A'));
  const first = ask('a');
  expect((await first.answer).status).toBe(200);
  return { ask, upstream, first };
}

describe('a cache', () => {
  it('that has the answer calls nobody', async () => {
    const { ask, upstream, first } = await startKept();
    await expectTrace(first.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step kept  cache=miss
          CLIENT GET /kept/{name}  status=200
    `;
    const second = ask('a');
    expect((await second.answer).status).toBe(200);
    await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step kept  cache=hit
    `;
    expect(upstream.asked()).toEqual(['GET /kept/a']);
  });

  it('whose answer is old is refreshed below the step that it answered', async () => {
    const { ask, upstream } = await startKept();
    clock.advance(60_001);
    const second = ask('a');
    expect((await second.answer).status).toBe(200);
    await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step kept  cache=stale
          CLIENT GET /kept/{name}  status=200
    `;
    expect(upstream.asked()).toEqual(['GET /kept/a', 'GET /kept/a']);
  });
});
