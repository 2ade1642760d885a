import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import { ExecutionError, UpstreamError } from '../../../src/errors.ts';
import { callError } from '../../../src/upstream/call.ts';
import type { Call, Reply } from '../../../src/upstream/call.ts';
import { verdictOf } from '../../../src/upstream/resilience/failure.ts';
import { hedge } from '../../../src/upstream/resilience/hedge.ts';
import { createRetryBudget } from '../../../src/upstream/resilience/retry-budget.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { dispatchFor, nowhere, ok, reasonOf, turn } from '../../support/upstream-calls.ts';

const response = z.unknown();
/** Waits for the median latency, and allows a second request for every call. */
const eager = { afterP: 0.5, maxExtra: 0.999 };
const getOrders = operation(nowhere, { route: 'GET /orders', response, hedge: eager });

interface Attempt {
  readonly call: Call;
  readonly answer: (reply?: Reply) => void;
  readonly fail: (error: unknown) => void;
}

interface Options {
  readonly operation?: Operation;
  readonly budget?: { percent?: number; floor?: number };
  /** The number of earlier calls, which took 100 ms each. */
  readonly history?: number;
  /** The service ignores its signal. */
  readonly isDeaf?: boolean;
}

/** A service that answers on request, or ends with its signal, and the `attempts` at it. */
async function startHedge(options: Options = {}) {
  const { operation: asked = getOrders, history = 40, isDeaf = false } = options;
  const clock = createFakeClock();
  const budget = createRetryBudget({ percent: 0, floor: 100, ...options.budget }, clock);
  const request = new AbortController();
  const attempts: Attempt[] = [];
  const send = hedge(
    clock,
    budget,
  )((call) => {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    attempts.push({ call, answer: (reply = ok) => resolve(reply), fail: reject });
    const leave = () => reject(call.signal.reason);
    if (!isDeaf) call.signal.addEventListener('abort', leave, { once: true });
    return promise;
  });
  const begin = (of = asked, { signal } = request) => send(dispatchFor(of, {}, { signal }));
  /** Makes calls at the same time, each answered after the given time. */
  const live = async (calls: number, tookMs: number) => {
    const replies = Array.from({ length: calls }, () => begin(asked, new AbortController()));
    const firsts = attempts.slice();
    clock.advance(tookMs);
    for (const { answer } of firsts) answer();
    await Promise.all(replies);
    attempts.length = 0;
  };
  await live(history, 100);
  const left = () => [clock.pending, getEventListeners(request.signal, 'abort').length];
  return { clock, budget, request, attempts, begin, live, left };
}

const reply = (value: string): Reply => ({ ...ok, value });
const down = new UpstreamError('status', 'is down', {
  service: 'shop',
  operation: 'getOrders',
  status: 503,
});
const broken = new UpstreamError('reset', 'is gone', { service: 'shop', operation: 'getOrders' });
const gone = new ExecutionError('disconnected', 'is gone');

describe('a hedged second request', () => {
  it('is sent when the first is as late as the quantile says, not before', async () => {
    const { begin, clock, attempts } = await startHedge();
    const call = begin();
    clock.advance(99);
    expect(attempts).toHaveLength(1);
    clock.advance(1);
    expect(attempts).toHaveLength(2);
    attempts[1]?.answer();
    await call;
  });

  it('is the same dispatch again, with its own signal', async () => {
    const { begin, clock, attempts, request } = await startHedge();
    const call = begin();
    clock.advance(100);
    const [first, second] = attempts.map((attempt) => attempt.call);
    expect(second?.operation === first?.operation && second?.args === first?.args).toBe(true);
    expect(new Set([first?.signal, second?.signal, request.signal]).size).toBe(3);
    attempts[0]?.answer();
    await call;
  });

  it('is the last one', async () => {
    const { begin, clock, attempts } = await startHedge();
    const call = begin();
    clock.advance(10_000);
    expect(attempts).toHaveLength(2);
    attempts[0]?.answer();
    await call;
  });

  it('is not sent before there are twenty answers', async () => {
    const { begin, live, clock, attempts } = await startHedge({ history: 19 });
    const call = begin();
    expect(clock.pending).toBe(0);
    clock.advance(10_000);
    expect(attempts).toHaveLength(1);
    attempts.pop()?.answer();
    await call;
    await live(1, 100);
    void begin();
    expect(clock.pending).toBe(1);
  });

  it('goes by the latencies of its own operation', async () => {
    const { begin, clock, attempts } = await startHedge();
    const other = operation(nowhere, { route: 'GET /payments', response, hedge: eager });
    const call = begin(other);
    clock.advance(10_000);
    expect(attempts).toHaveLength(1);
    attempts[0]?.answer();
    await call;
  });

  it.each([
    [0.5, 100],
    [0.9, 300],
  ])(
    'is sent after the latency that the share afterP did not exceed: %f',
    async (afterP, afterMs) => {
      const asked = operation(nowhere, { route: 'GET /o', response, hedge: { ...eager, afterP } });
      const { begin, live, clock, attempts } = await startHedge({ operation: asked });
      await live(20, 300);
      void begin();
      clock.advance(afterMs - 1);
      expect(attempts).toHaveLength(1);
      clock.advance(1);
      expect(attempts).toHaveLength(2);
    },
  );

  it('goes by the latest latencies', async () => {
    const { begin, live, clock, attempts } = await startHedge({ history: 20 });
    await live(40, 300);
    void begin();
    clock.advance(299);
    expect(attempts).toHaveLength(1);
    clock.advance(1);
    expect(attempts).toHaveLength(2);
  });

  it('does not go by the latencies of failures', async () => {
    const { begin, clock, attempts } = await startHedge({ history: 19 });
    const call = reasonOf(begin());
    attempts.pop()?.fail(down);
    await call;
    void begin();
    expect(clock.pending).toBe(0);
    attempts.pop()?.answer();
    await turn();
    void begin();
    expect(clock.pending).toBe(1);
  });

  it.each([
    ['with hedge: false', operation(nowhere, { route: 'GET /orders', response })],
    [
      'that change something',
      { ...operation(nowhere, { route: 'POST /orders', response }), policies: getOrders.policies },
    ],
  ])('is never sent for calls %s', async (_, asked: Operation) => {
    const { begin, clock, attempts, request, left } = await startHedge({ operation: asked });
    const call = begin();
    expect(left()).toEqual([0, 1]); // of the service itself: the call is passed on as it is
    expect(attempts[0]?.call.signal === request.signal).toBe(true);
    clock.advance(10_000);
    expect(attempts).toHaveLength(1);
    attempts[0]?.answer();
    await call;
  });

  it('is sent for lookups', async () => {
    const item = z.object({ id: z.string() });
    const byId = { route: 'GET /search', keys: { query: 'ids' }, by: 'id', item } as const;
    const ordersOf = lookup(nowhere, { ...byId, hedge: eager });
    const { begin, clock, attempts } = await startHedge({ operation: ordersOf });
    void begin();
    clock.advance(100);
    expect(attempts).toHaveLength(2);
  });
});

describe('the limits of hedging', () => {
  it('allow maxExtra of the calls of the last ten seconds', async () => {
    const tenth = operation(nowhere, {
      route: 'GET /orders',
      response,
      hedge: { afterP: 0.5, maxExtra: 0.1 },
    });
    // The window holds 39 calls, and this one.
    const { begin, live, clock, attempts } = await startHedge({ operation: tenth, history: 39 });
    const hedged: number[] = [];
    for (const _ of [1, 2, 3, 4, 5, 6]) {
      const call = begin();
      clock.advance(100);
      hedged.push(attempts.length);
      attempts.at(-1)?.answer();
      await call;
      attempts.length = 0;
    }
    expect(hedged).toEqual([2, 2, 2, 2, 1, 1]);
    clock.advance(10_000);
    await live(8, 50);
    void begin();
    clock.advance(100);
    expect(attempts).toHaveLength(1);
    void begin();
    clock.advance(100);
    expect(attempts).toHaveLength(3);
  });

  it('include the retry budget, from which second requests are taken', async () => {
    const { begin, clock, attempts, budget, left } = await startHedge({ budget: { floor: 2 } });
    expect(budget.withdraw()).toBe(true);
    void begin();
    clock.advance(100);
    expect(attempts).toHaveLength(2);
    expect(budget.withdraw()).toBe(false);
    attempts[0]?.answer();
    await turn();
    void begin();
    clock.advance(100);
    expect(attempts).toHaveLength(3);
    expect(left()[0]).toBe(0);
  });

  it('take nothing out of the budget for a call that may not be hedged', async () => {
    const never = { ...eager, maxExtra: 0.001 };
    const asked = operation(nowhere, { route: 'GET /orders', response, hedge: never });
    const { begin, clock, budget } = await startHedge({ operation: asked, budget: { floor: 1 } });
    void begin();
    clock.advance(100);
    expect(budget.withdraw()).toBe(true);
  });
});

describe('the result of two hedged requests', () => {
  it.each([0, 1])('is the first answer, and the other request is cancelled: %i', async (winner) => {
    const { begin, clock, attempts, left } = await startHedge();
    const call = begin();
    clock.advance(120);
    attempts[winner]?.answer(reply('first'));
    expect(await call).toEqual(reply('first'));
    const loser = attempts[1 - winner]?.call;
    expect(loser?.signal.reason).toMatchObject({
      kind: 'aborted',
      message: 'shop.getOrders: another attempt was faster',
    });
    await turn();
    expect(left()).toEqual([0, 0]);
  });

  it('gives no verdict on the service for the cancelled one, however long it took', async () => {
    const { begin, clock, attempts } = await startHedge();
    const call = begin();
    clock.advance(120);
    attempts[1]?.answer();
    await call;
    const [loser] = attempts;
    const { timeoutMs } = getOrders.policies;
    const verdicts = [120, timeoutMs / 2, timeoutMs - 1].map(
      (tookMs) =>
        loser && verdictOf({ failure: loser.call.signal.reason, tookMs, announcedMs: undefined }),
    );
    expect(verdicts).toEqual(['unknown', 'unknown', 'unknown']);
  });

  it.each([0, 1])('is awaited from the other one if one fails: %i', async (failing) => {
    const { begin, clock, attempts, left } = await startHedge();
    const call = begin();
    clock.advance(120);
    attempts[failing]?.fail(down);
    await turn();
    expect(attempts[1 - failing]?.call.signal.aborted).toBe(false);
    attempts[1 - failing]?.answer(reply('late'));
    expect(await call).toEqual(reply('late'));
    await turn();
    expect(left()).toEqual([0, 0]);
  });

  it.each([0, 1])('is the first failure if both fail: %i', async (first) => {
    const { begin, clock, attempts, left } = await startHedge();
    const call = reasonOf(begin());
    clock.advance(120);
    attempts[first]?.fail(down);
    await turn();
    attempts[1 - first]?.fail(broken);
    expect(await call).toBe(down);
    await turn();
    expect(left()).toEqual([0, 0]);
  });
});

describe('a first request', () => {
  it('that fails before the second is due fails the call at once', async () => {
    const { begin, clock, attempts, left } = await startHedge();
    const call = reasonOf(begin());
    clock.advance(99);
    attempts[0]?.fail(down);
    expect(await call).toBe(down);
    await turn();
    expect(left()).toEqual([0, 0]);
    clock.advance(10_000);
    expect(attempts).toHaveLength(1);
  });

  it('that is answered before the second is due leaves nothing behind', async () => {
    const { begin, clock, attempts, left } = await startHedge();
    const call = begin();
    clock.advance(99);
    attempts[0]?.answer(reply('quick'));
    expect(await call).toEqual(reply('quick'));
    await turn();
    expect(left()).toEqual([0, 0]);
  });
});

describe('the end of a client request', () => {
  it('ends the first hedged request, with its reason', async () => {
    const { begin, clock, request, left } = await startHedge();
    const call = reasonOf(begin());
    clock.advance(50);
    request.abort(gone);
    expect(await call).toBe(gone);
    await turn();
    expect(left()).toEqual([0, 0]);
  });

  it('ends both hedged requests, with its reason', async () => {
    const { begin, clock, attempts, request, left } = await startHedge({ isDeaf: true });
    const call = reasonOf(begin());
    clock.advance(120);
    request.abort(gone);
    expect(attempts.map((attempt) => attempt.call.signal.reason === gone)).toEqual([true, true]);
    for (const { fail } of attempts) {
      fail(gone);
      await turn();
    }
    expect(await call).toBe(gone);
    expect(left()).toEqual([0, 0]);
  });
});

describe('hedged requests that end at the same moment', () => {
  it('fail with the first failure', async () => {
    const { begin, clock, attempts, left } = await startHedge();
    const call = reasonOf(begin());
    clock.advance(120);
    attempts[0]?.fail(down);
    attempts[1]?.fail(broken);
    expect(await call).toBe(down);
    await turn();
    expect(left()).toEqual([0, 0]);
  });

  it('end together with their client request and the call', async () => {
    const { begin, clock, request, left } = await startHedge();
    const call = reasonOf(begin());
    clock.advance(120);
    request.abort(gone);
    expect(await call).toBe(gone);
    await turn();
    expect(left()).toEqual([0, 0]);
  });
});

describe('a second request that was not sent', () => {
  it('does not hide the failure of the first', async () => {
    const { begin, clock, attempts } = await startHedge();
    const call = reasonOf(begin());
    clock.advance(120);
    attempts[1]?.fail(callError({ operation: attempts[1].call.operation }, 'overloaded', 'full'));
    await turn();
    attempts[0]?.fail(down);
    expect(await call).toBe(down);
  });
});
