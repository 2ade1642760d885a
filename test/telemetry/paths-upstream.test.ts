/** The way to a service as a trace: calls that are repeated, held back or cancelled. */
import { describe, expect, it, vi } from 'vitest';
import { value } from '../support/serve.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTracedShop, until } from './_traced-shop.ts';
import { childrenOf, only, startTraced, strays } from './_traced.ts';

/** It stands still until it is told to go on. */
const clock = createFakeClock();
const { telemetry, expectTrace } = await startTraced({ clock });

/** A shop that is asked a second time after 100 ms, with two places. */
async function startHedged() {
  const { ask, upstream } = await startTracedShop({
    clock,
    telemetry,
    policies: {
      hedge: { afterP: 0.5, maxExtra: 0.99 },
      retryBudget: { floor: 100 },
      bulkhead: { concurrency: 2 },
    },
  });
  // As many as it takes to know what is late.
  for (let usual = 0; usual < 20; usual += 1) {
    const { answer } = ask('usual');
    const arrival = await upstream.next('GET /parts/usual');
    clock.advance(100);
    arrival.answer(value('A'));
    await answer;
  }
  return { ask, upstream };
}

describe('a second attempt', () => {
  it('after a failure is a span beside the first, and only that is an error', async () => {
    const { ask, upstream } = await startTracedShop({
      clock,
      telemetry,
      policies: { retry: { minDelayMs: 40, maxDelayMs: 40 } },
    });
    const { traceId, answer } = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    arrival.answer({}, 503);
    // The pause begins when that has arrived.
    await vi.waitFor(() => {
      clock.advance(40);
      expect(upstream.asked()).toHaveLength(2);
    });
    await upstream.answer('GET /parts/a', value('A'));
    expect((await answer).status).toBe(200);
    const spans = await expectTrace(traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part  @retry
          CLIENT GET /parts/{name}  status=503 error.type=503 ERROR
          CLIENT GET /parts/{name}  status=200 resend=1 delay_ms=40
    `;
    expect(strays(spans)).toEqual([]);
    const [first, second] = childrenOf(spans, only(spans, 'step part'));
    expect(first?.endTimeUnixNano).toBeLessThan(second?.startTimeUnixNano ?? 0n);
  });

  it('does not say again how long the one before it waited for a place', async () => {
    const { ask, upstream } = await startTracedShop({
      clock,
      telemetry,
      policies: { retry: { minDelayMs: 40, maxDelayMs: 40 }, bulkhead: { concurrency: 1 } },
    });
    ask('b');
    const place = await upstream.next('GET /parts/b');
    const { traceId, answer } = await until(clock, 2, () => ask('a'));
    clock.advance(30);
    place.answer(value('B'));
    await upstream.answer('GET /parts/a', {}, 503);
    await vi.waitFor(() => {
      clock.advance(40);
      expect(upstream.asked()).toHaveLength(3);
    });
    await upstream.answer('GET /parts/a', value('A'));
    expect((await answer).status).toBe(200);
    const spans = await expectTrace(traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part  @bulkhead @retry
          CLIENT GET /parts/{name}  status=503 error.type=503 wait_ms=30 ERROR
          CLIENT GET /parts/{name}  status=200 resend=1 delay_ms=40
    `;
    expect(strays(spans)).toEqual([]);
  });

  it('while the first is late is a span at the same time; the one that lost is no error', async () => {
    const { ask, upstream } = await startHedged();
    const { traceId, answer } = ask('late');
    const loser = await upstream.next('GET /parts/late');
    clock.advance(100);
    await upstream.answer('GET /parts/late', value('A'));
    expect((await answer).status).toBe(200);
    await loser.abandoned;
    const spans = await expectTrace(traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part
          CLIENT GET /parts/{name}  cancelled
          CLIENT GET /parts/{name}  status=200 resend=1
    `;
    expect(strays(spans)).toEqual([]);
    const [first, second] = childrenOf(spans, only(spans, 'step part'));
    expect(first?.endTimeUnixNano).toBeGreaterThan(second?.startTimeUnixNano ?? 0n);
  });

  it('does not take over how long the first waited for a place', async () => {
    const { ask, upstream } = await startHedged();
    ask('a');
    ask('b');
    const places = [await upstream.next('GET /parts/a'), await upstream.next('GET /parts/b')];
    // Its deadline, how long it may wait, and the second attempt.
    const { traceId, answer } = await until(clock, 3, () => ask('late'));
    clock.advance(30);
    for (const arrival of places) arrival.answer(value('A'));
    await upstream.next('GET /parts/late');
    clock.advance(70);
    await upstream.answer('GET /parts/late', value('A'));
    expect((await answer).status).toBe(200);
    const spans = await expectTrace(traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part  @bulkhead
          CLIENT GET /parts/{name}  cancelled wait_ms=30
          CLIENT GET /parts/{name}  status=200 resend=1
    `;
    expect(strays(spans)).toEqual([]);
  });
});

/** A client that gives its request two seconds. */
const limited = { headers: { 'x-request-timeout-ms': '2000' } };

describe('a call that is held back', () => {
  it('by a breaker is no attempt', async () => {
    const { ask, upstream } = await startTracedShop({
      clock,
      telemetry,
      policies: { breaker: { volume: 2 } },
    });
    for (const name of ['a', 'b']) {
      const { answer } = ask(name);
      await upstream.answer(`GET /parts/${name}`, {}, 500);
      expect((await answer).status).toBe(502);
    }
    const { traceId, answer } = ask('c');
    expect((await answer).status).toBe(503);
    const spans = await expectTrace(traceId)`
      SERVER GET /shop/{name}  status=503 error.type=breaker-open ERROR
        INTERNAL step part  error.type=breaker-open ERROR
    `;
    expect(strays(spans)).toEqual([]);
    expect(only(spans, 'step part').status.message).toBe(
      'shop.part: was not called: its breaker is open',
    );
  });

  it('by a bulkhead says how long it waited; one that found no room to wait is no attempt', async () => {
    const { ask, upstream } = await startTracedShop({
      clock,
      telemetry,
      policies: { bulkhead: { concurrency: 1, queue: 1 } },
    });
    const first = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    // Its deadline, and how long it may wait.
    const second = await until(clock, 2, () => ask('b'));
    const third = ask('c');
    expect((await third.answer).status).toBe(503);
    clock.advance(30);
    arrival.answer(value('A'));
    await upstream.answer('GET /parts/b', value('B'));
    expect((await second.answer).status).toBe(200);

    await expectTrace(first.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part
          CLIENT GET /parts/{name}  status=200
    `;
    const spans = await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=200
        INTERNAL step part  @bulkhead
          CLIENT GET /parts/{name}  status=200 wait_ms=30
    `;
    expect(strays(spans)).toEqual([]);
    await expectTrace(third.traceId)`
      SERVER GET /shop/{name}  status=503 error.type=overloaded ERROR
        INTERNAL step part  error.type=overloaded ERROR
    `;
  });

  it('by a bulkhead for too long is no attempt', async () => {
    const { ask, upstream } = await startTracedShop({
      clock,
      telemetry,
      policies: { bulkhead: { concurrency: 1, waitMs: 50 } },
    });
    ask('a');
    await upstream.next('GET /parts/a');
    const second = await until(clock, 2, () => ask('b'));
    clock.advance(50);
    expect((await second.answer).status).toBe(503);
    await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=503 error.type=overloaded ERROR
        INTERNAL step part  error.type=overloaded ERROR @bulkhead
    `;
  });

  it('by a bulkhead until the time of its request is up says how long it waited', async () => {
    const { ask, upstream } = await startTracedShop({
      clock,
      telemetry,
      policies: { bulkhead: { concurrency: 1, waitMs: 9_000 }, timeoutMs: 9_000 },
    });
    ask('a');
    await upstream.next('GET /parts/a');
    clock.advance(1_000);
    const second = await until(clock, 2, () => ask('b', undefined, limited));
    clock.advance(2_000);
    expect((await second.answer).status).toBe(504);
    const spans = await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=504 error.type=deadline ERROR
        INTERNAL step part  error.type=deadline ERROR @bulkhead
    `;
    const { events, endTimeUnixNano } = only(spans, 'step part');
    expect(events[0]?.attributes).toEqual({ 'plait.bulkhead.wait_ms': 2_000 });
    expect(events[0]?.timeUnixNano).toBeLessThanOrEqual(endTimeUnixNano);
  });

  it('and whose client leaves is called off', async () => {
    const { ask, upstream } = await startTracedShop({
      clock,
      telemetry,
      policies: { bulkhead: { concurrency: 1 } },
    });
    ask('a');
    await upstream.next('GET /parts/a');
    const second = await until(clock, 2, () => ask('b'));
    second.leave();
    await expect(second.answer).rejects.toThrow('aborted');
    await expectTrace(second.traceId)`
      SERVER GET /shop/{name}  status=499 cancelled
        INTERNAL step part  cancelled
    `;
  });
});

describe('a request that ends before its call does', () => {
  it('is no error of anybody when its client leaves', async () => {
    const { ask, upstream } = await startTracedShop({ clock, telemetry });
    const { traceId, leave } = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    leave();
    await arrival.abandoned;
    const spans = await expectTrace(traceId)`
      SERVER GET /shop/{name}  status=499 cancelled
        INTERNAL step part  cancelled
          CLIENT GET /parts/{name}  cancelled
    `;
    expect(strays(spans)).toEqual([]);
  });

  it('is an error when its time is over, and so are its step and the call that took too long', async () => {
    const { ask, upstream } = await startTracedShop({
      clock,
      telemetry,
      policies: { timeoutMs: 9_000 },
    });
    const { traceId, answer } = ask('a');
    await upstream.next('GET /parts/a');
    clock.advance(5_000);
    expect((await answer).status).toBe(504);
    const spans = await expectTrace(traceId)`
      SERVER GET /shop/{name}  status=504 error.type=deadline ERROR
        INTERNAL step part  error.type=deadline ERROR
          CLIENT GET /parts/{name}  error.type=deadline ERROR
    `;
    expect(strays(spans)).toEqual([]);
  });
});
