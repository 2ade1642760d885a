/** Steps that were answered by the dispatch of another request say who has served them. */
import { call, defineComposition, lookup, optional } from 'plait';
import type { Composition, Service } from 'plait';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createFakeClock } from '../support/fake-clock.ts';
import { value } from '../support/serve.ts';
import { partIn, pricesIn } from './_shop-operations.ts';
import { startTracedShop, until } from './_traced-shop.ts';
import type { Asked } from './_traced-shop.ts';
import { only, startTraced } from './_traced.ts';

/** It stands still until it is told to go on. */
const clock = createFakeClock();
const { telemetry, expectTrace } = await startTraced({
  clock,
  environment: { TRUSTED_PEERS: '127.0.0.0/8' },
});

/** `GET /shop/a` asks for `GET /prices?ids=a`, with the keys of others in the next 20 ms. */
function priceOf(shop: Service): Composition {
  const price = pricesIn(shop);
  return defineComposition({
    route: 'GET /shop/:id',
    deadlineMs: 5_000,
    compose: ({ params }) => ({ price: call(price, { id: params.id }) }),
  });
}

/** `GET /shop/a` asks for `GET /price/a`. */
function priceOneByOne(shop: Service): Composition {
  const price = lookup(shop, {
    name: 'priceOf',
    single: 'GET /price/:id',
    by: 'id',
    item: z.object({ id: z.string() }),
  });
  return defineComposition({
    route: 'GET /shop/:id',
    deadlineMs: 5_000,
    compose: ({ params }) => ({ price: call(price, { id: params.id }) }),
  });
}

/** Two requests whose keys are in one batch, which is about to be sent. */
async function startBatch(flag?: '00' | '01') {
  const shop = await startTracedShop({ clock, telemetry, compose: priceOf });
  // Its deadline, and the window.
  const first = await until(clock, 2, () => shop.ask('a', flag));
  clock.advance(5);
  const second = await until(clock, 1, () => shop.ask('b'));
  clock.advance(15);
  return { ...shop, first, second, batch: await shop.upstream.next('GET /prices?ids=a,b') };
}

async function statusOf({ answer }: Asked): Promise<number> {
  return (await answer).status;
}

describe('a batch', () => {
  it('is linked from the step of each other request, with what it says of the service', async () => {
    const { first, second, batch } = await startBatch();
    clock.advance(700);
    batch.answer([{ id: 'a' }, { id: 'b' }]);
    expect(await statusOf(first)).toBe(200);
    expect(await statusOf(second)).toBe(200);
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
    const follower = only(others, 'step price');
    const { traceId, spanId } = only(spans, 'batch shop.priceOf');
    expect(follower.links).toEqual([{ traceId, spanId }]);
    expect(follower.attributes).toMatchObject({
      'service.peer.name': 'shop',
      'plait.step.service_ms': 700,
      'plait.batch.wait_ms': 20,
    });
    expect(only(spans, 'step price').links).toEqual([]);
    expect(only(spans, 'step price').attributes).not.toHaveProperty(['plait.step.batched']);
  });

  it('that failed says so in each step that it left without an answer', async () => {
    const { first, second, batch } = await startBatch();
    batch.answer({}, 503);
    expect(await statusOf(first)).toBe(502);
    expect(await statusOf(second)).toBe(502);
    await expectTrace(second.traceId)`
      SERVER GET /shop/{id}  status=502 error.type=503 ERROR
        INTERNAL step price  status=503 error.type=503 batched attempts=1 size=2 loads=2 ERROR links=1 @batch
    `;
  });

  it('that is waited for when the time of a request is up is in the step that waited', async () => {
    const { first, second, batch } = await startBatch();
    clock.advance(5_000);
    expect(await statusOf(first)).toBe(504);
    expect(await statusOf(second)).toBe(504);
    await batch.abandoned;
    const others = await expectTrace(second.traceId)`
      SERVER GET /shop/{id}  status=504 error.type=deadline ERROR
        INTERNAL step price  error.type=deadline batched attempts=1 size=2 loads=2 ERROR links=1 @batch
    `;
    expect(only(others, 'step price').attributes).toMatchObject({ 'service.peer.name': 'shop' });
  });

  it('whose first request is not recorded is in the trace of the next', async () => {
    const { second, batch } = await startBatch('00');
    batch.answer([{ id: 'a' }, { id: 'b' }]);
    expect(await statusOf(second)).toBe(200);
    await expectTrace(second.traceId)`
      SERVER GET /shop/{id}  status=200
        INTERNAL step price  @batch
          INTERNAL batch shop.priceOf  size=2 loads=2
            CLIENT GET /prices  status=200
    `;
  });

  it('that was under way when a request joined is known to its step, recorded or not', async () => {
    const { upstream, ask } = await startTracedShop({ clock, telemetry, compose: priceOf });
    await until(clock, 2, () => ask('a', '00'));
    clock.advance(20);
    const batch = await upstream.next('GET /prices?ids=a');
    const second = await until(clock, 1, () => ask('a'));
    clock.advance(300);
    batch.answer({}, 500);
    expect(await statusOf(second)).toBe(502);
    const others = await expectTrace(second.traceId)`
      SERVER GET /shop/{id}  status=502 error.type=500 ERROR
        INTERNAL step price  status=500 error.type=500 batched attempts=1 size=1 ERROR
    `;
    expect(only(others, 'step price').attributes).toMatchObject({
      'service.peer.name': 'shop',
      'plait.step.service_ms': 300,
    });
  });
});

describe('a lookup for one key at a time', () => {
  it('is linked from the step of a request that joined the attempt', async () => {
    const { upstream, ask } = await startTracedShop({ clock, telemetry, compose: priceOneByOne });
    const first = ask('a');
    const arrival = await upstream.next('GET /price/a');
    const second = await until(clock, 1, () => ask('a'));
    arrival.answer({ id: 'a' });
    expect(await statusOf(second)).toBe(200);
    const spans = await expectTrace(first.traceId)`
      SERVER GET /shop/{id}  status=200
        INTERNAL step price
          CLIENT GET /price/{id}  status=200
    `;
    const others = await expectTrace(second.traceId)`
      SERVER GET /shop/{id}  status=200
        INTERNAL step price  status=200 deduplicated batched attempts=1 size=1 links=1
    `;
    const { traceId, spanId } = only(spans, 'GET /price/{id}');
    expect(only(others, 'step price').links).toEqual([{ traceId, spanId }]);
  });
});

/** A request that joins the call of another one, which may be left unrecorded. */
async function startCall(flag?: '00' | '01', retry: false | { times: number } = false) {
  const policies = retry ? { retry: { ...retry, minDelayMs: 40, maxDelayMs: 40 } } : {};
  const shop = await startTracedShop({ clock, telemetry, policies });
  const first = shop.ask('a', flag);
  const arrival = await shop.upstream.next('GET /parts/a');
  const second = await until(clock, 1, () => shop.ask('a'));
  return { ...shop, first, second, arrival };
}

describe('a call of several requests', () => {
  it('is linked from the step of each that joined', async () => {
    const { first, second, arrival } = await startCall();
    clock.advance(700);
    arrival.answer(value('A'));
    expect(await statusOf(second)).toBe(200);
    const spans = await expectTrace(first.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part
          CLIENT GET /parts/{name}  status=200
    `;
    const others = await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part  status=200 deduplicated coalesced attempts=1 links=1
    `;
    const { traceId, spanId } = only(spans, 'GET /parts/{name}');
    expect(only(others, 'step part').links).toEqual([{ traceId, spanId }]);
    expect(only(others, 'step part').attributes).toMatchObject({
      'service.peer.name': 'shop',
      'plait.step.service_ms': 700,
    });
  });

  it('counts its attempts, and has the status of the last one, where nobody recorded them', async () => {
    const { upstream, second, arrival } = await startCall('00', { times: 1 });
    arrival.answer({}, 503);
    await vi.waitFor(() => {
      clock.advance(40);
      expect(upstream.asked()).toHaveLength(2);
    });
    await upstream.answer('GET /parts/a', {}, 500);
    expect(await statusOf(second)).toBe(502);
    await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=502 error.type=500 ERROR
        INTERNAL step part  status=500 error.type=500 coalesced attempts=2 ERROR
    `;
  });
});

/** `GET /shop/a` asks for `GET /parts/a` in two of its parts. */
function partTwice(shop: Service): Composition {
  const part = partIn(shop);
  return defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 5_000,
    compose: ({ params: { name } }) => ({
      part: call(part, { name }),
      again: optional(call(part, { name })),
    }),
  });
}

describe('a call of two steps of a request', () => {
  it('is linked from the step that has not made it, whatever comes of it', async () => {
    const { upstream, ask } = await startTracedShop({ clock, telemetry, compose: partTwice });
    const well = ask('a');
    await upstream.answer('GET /parts/a', value('A'));
    expect(await statusOf(well)).toBe(200);
    const spans = await expectTrace(well.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part
          CLIENT GET /parts/{name}  status=200
        INTERNAL step again  status=200 optional deduplicated attempts=1 links=1
    `;
    const { traceId, spanId } = only(spans, 'GET /parts/{name}');
    expect(only(spans, 'step again').links).toEqual([{ traceId, spanId }]);
    expect(only(spans, 'step again').attributes).toMatchObject({ 'service.peer.name': 'shop' });

    const ill = ask('b');
    await upstream.answer('GET /parts/b', {}, 501);
    expect(await statusOf(ill)).toBe(502);
    await expectTrace(ill.traceId)`
      SERVER GET /shop/{name}  status=502 error.type=501 ERROR
        INTERNAL step part  error.type=501 ERROR
          CLIENT GET /parts/{name}  status=501 error.type=501 ERROR
        INTERNAL step again  status=501 error.type=501 optional deduplicated attempts=1 ERROR links=1
    `;
  });

  it('is linked from both where it has joined the call of another request', async () => {
    const { upstream, ask } = await startTracedShop({ clock, telemetry, compose: partTwice });
    ask('a');
    const arrival = await upstream.next('GET /parts/a');
    const second = await until(clock, 1, () => ask('a'));
    arrival.answer(value('A'));
    expect(await statusOf(second)).toBe(200);
    await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part  status=200 deduplicated coalesced attempts=1 links=1
        INTERNAL step again  status=200 optional deduplicated coalesced attempts=1 links=1
    `;
  });

  it('is in both when the time of the request is up', async () => {
    const policies = { timeoutMs: 9_000 };
    const shop = await startTracedShop({ clock, telemetry, compose: partTwice, policies });
    const { upstream, ask } = shop;
    const late = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    clock.advance(5_000);
    expect(await statusOf(late)).toBe(504);
    await arrival.abandoned;
    await expectTrace(late.traceId)`
      SERVER GET /shop/{name}  status=504 error.type=deadline ERROR
        INTERNAL step part  error.type=deadline ERROR
          CLIENT GET /parts/{name}  error.type=deadline ERROR
        INTERNAL step again  error.type=deadline optional deduplicated attempts=1 ERROR links=1
    `;
  });
});
