import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import { ExecutionError, UpstreamError } from '../../../src/errors.ts';
import type { UpstreamErrorKind, UpstreamErrorOptions } from '../../../src/errors.ts';
import type { Call, Dispatch } from '../../../src/upstream/call.ts';
import { createRetryBudget } from '../../../src/upstream/resilience/retry-budget.ts';
import { retry } from '../../../src/upstream/resilience/retry.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import {
  dispatchFor,
  unreached,
  nowhere,
  ok,
  reasonOf,
  turn,
} from '../../support/upstream-calls.ts';

const response = z.unknown();
const getOrders = operation(nowhere, { route: 'GET /orders', response });
const patient = operation(nowhere, { route: 'GET /orders', response, retry: { times: 2 } });
const postOrders = operation(nowhere, { route: 'POST /orders', response });
const putOrders = operation(nowhere, { route: 'PUT /orders', response, idempotent: true });
const ordersOf = lookup(nowhere, {
  route: 'POST /search',
  keys: { body: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
});

function failure(kind: UpstreamErrorKind, details: Partial<UpstreamErrorOptions> = {}) {
  return new UpstreamError(kind, 'failed', { service: 'shop', operation: 'getOrders', ...details });
}
const status = (code: number, retryAfterSeconds?: number) =>
  failure('status', {
    status: code,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });

interface Options {
  readonly operation?: Operation;
  readonly chance?: number;
  readonly endpoints?: number;
  readonly budget?: { percent?: number; floor?: number };
}

/** A service that ends its attempts with `ends`, then with success; `sentAt` lists their times. */
function startRetry(ends: readonly unknown[], options: Options = {}) {
  const { chance = 0.5, endpoints = 1, budget: budgetConfig } = options;
  const clock = createFakeClock({ startAt: 5_000, chances: [chance] });
  const budget = createRetryBudget({ percent: 20, floor: 3, ...budgetConfig }, clock);
  const request = new AbortController();
  const sentAt: number[] = [];
  const sent: Dispatch[] = [];
  const send = retry({ clock, budget, hasUntried: (tried) => tried.length < endpoints })((call) => {
    const end = ends[sent.length];
    sentAt.push(clock.now() - 5_000);
    sent.push(call);
    call.tried.push(unreached);
    return end === undefined ? Promise.resolve(ok) : Promise.reject(end);
  });
  const begin = (rest: Partial<Call> = {}) =>
    send(
      dispatchFor(
        options.operation ?? getOrders,
        {},
        {
          signal: request.signal,
          deadlineAt: 15_000,
          ...rest,
        },
      ),
    );
  /** Makes a call and advances the clock through its delays. */
  const run = async (rest: Partial<Call> = {}) => {
    const reply = begin(rest).catch((reason: unknown) => ({ reason }));
    for (let pauses = 0; pauses < 5; pauses += 1) {
      await turn();
      while (clock.pending > 0) clock.advance(0.5);
    }
    return reply;
  };
  const left = () => [clock.pending, getEventListeners(request.signal, 'abort').length];
  return { clock, budget, request, sentAt, sent, begin, run, left };
}

const down = status(503);

describe('a transient failure is retried', () => {
  it.each([
    ['connect', failure('connect')],
    ['reset before an answer began', failure('reset')],
    ['timeout', failure('timeout')],
    ['502', status(502)],
    ['503', down],
    ['504', status(504)],
    ['429 with Retry-After', status(429, 1)],
  ])('after %s', async (_, error) => {
    const { run, sentAt, left } = startRetry([error]);
    expect(await run()).toBe(ok);
    expect(sentAt).toHaveLength(2);
    expect(left()).toEqual([0, 0]);
  });

  it.each([
    ['a GET', getOrders],
    ['what is declared idempotent', putOrders],
    ['a lookup, whatever its method', ordersOf],
  ])('for %s', async (_, asked: Operation) => {
    const { run, sentAt } = startRetry([down], { operation: asked });
    expect(await run()).toBe(ok);
    expect(sentAt).toHaveLength(2);
  });
});

describe('a failure is not retried', () => {
  it.each([
    ['500', status(500)],
    ['501', status(501)],
    ['404', status(404)],
    ['408', status(408)],
    ['429 without Retry-After', status(429)],
    ['400 with Retry-After', status(400, 1)],
    ['reset after headers', failure('reset', { reached: 'headers' })],
    ['reset in the body', failure('reset', { reached: 'body' })],
    ['invalid-body', failure('invalid-body', { reached: 'body' })],
    ['too-large', failure('too-large')],
    ['missing', failure('missing')],
    ['invalid-argument', failure('invalid-argument')],
    ['overloaded', failure('overloaded', { retryAfterSeconds: 1 })],
    ['breaker-open', failure('breaker-open', { retryAfterSeconds: 1 })],
    ['aborted', failure('aborted')],
    ['a deadline', new ExecutionError('deadline', 'is over')],
    ['a bug', new TypeError('down')],
  ])('if it is %s', async (_, error) => {
    const { run, sentAt, left } = startRetry([error]);
    expect(await run()).toEqual({ reason: error });
    expect(sentAt).toEqual([0]);
    expect(left()).toEqual([0, 0]);
  });

  it.each([
    ['that changes something', postOrders],
    [
      'of a PUT, unless it is declared idempotent',
      operation(nowhere, { route: 'PUT /o', response }),
    ],
    ['with retry: false', operation(nowhere, { route: 'GET /o', response, retry: false })],
    ['with times: 0', operation(nowhere, { route: 'GET /o', response, retry: { times: 0 } })],
  ])('for a call %s', async (_, asked: Operation) => {
    const { run, sentAt } = startRetry([down], { operation: asked });
    expect(await run()).toEqual({ reason: down });
    expect(sentAt).toEqual([0]);
  });

  it('if its request is over by then', async () => {
    const { run, request, sentAt } = startRetry([down]);
    request.abort(new Error('gone'));
    expect(await run()).toEqual({ reason: down });
    expect(sentAt).toEqual([0]);
  });
});

describe('the number of retries', () => {
  it('is one by default, after which the last failure is reported', async () => {
    const last = status(504);
    const { run, sentAt } = startRetry([down, last]);
    expect(await run()).toEqual({ reason: last });
    expect(sentAt).toHaveLength(2);
  });

  it('is two with times: 2', async () => {
    const { run, sentAt } = startRetry([down, failure('timeout')], { operation: patient });
    expect(await run()).toBe(ok);
    expect(sentAt).toHaveLength(3);
  });

  it('is no more than two with times: 2', async () => {
    const last = failure('connect');
    const { run, sentAt } = startRetry([down, down, last], { operation: patient });
    expect(await run()).toEqual({ reason: last });
    expect(sentAt).toHaveLength(3);
  });

  it('ends with a failure that is not transient', async () => {
    const { run, sentAt } = startRetry([down, status(404)], { operation: patient });
    expect(await run()).toMatchObject({ reason: { status: 404 } });
    expect(sentAt).toHaveLength(2);
  });

  it.each(['overloaded', 'breaker-open'] as const)(
    'leaves the earlier failure if the retry is not sent: %s',
    async (kind) => {
      const { run, sentAt } = startRetry([down, failure(kind)], { operation: patient });
      expect(await run()).toEqual({ reason: down });
      expect(sentAt).toHaveLength(2);
    },
  );

  it('leaves the latest of the earlier failures', async () => {
    const { run } = startRetry([down, status(504), failure('overloaded')], { operation: patient });
    expect(await run()).toMatchObject({ reason: { status: 504 } });
  });
});

describe('the delay before a retry', () => {
  const quick = operation(nowhere, {
    route: 'GET /orders',
    response,
    retry: { minDelayMs: 10, maxDelayMs: 60 },
  });

  it.each([
    ['25 ms at least', getOrders, 0, 25],
    ['250 ms at most', getOrders, 1, 250],
    ['minDelayMs at least', quick, 0, 10],
    ['in between by chance', quick, 0.5, 35],
    ['maxDelayMs at most', quick, 1, 60],
  ])('is %s', async (_, asked: Operation, chance, expected) => {
    const { run, sentAt } = startRetry([down], { operation: asked, chance });
    await run();
    expect(sentAt).toEqual([0, expected]);
  });

  it('is as long as Retry-After says if that is longer', async () => {
    const { run, sentAt } = startRetry([status(503, 2)]);
    expect(await run()).toBe(ok);
    expect(sentAt).toEqual([0, 2_000]);
  });

  it('is not shortened by Retry-After', async () => {
    const { run, sentAt } = startRetry([status(503, 0)], { chance: 1 });
    await run();
    expect(sentAt).toEqual([0, 250]);
  });

  it.each([
    ['a pause', down, 137.5],
    ['Retry-After', status(503, 3), 3_000],
  ])('must end before the deadline: %s', async (_, error, pauseMs) => {
    const late = startRetry([error]);
    expect(await late.run({ deadlineAt: 5_000 + pauseMs })).toEqual({ reason: error });
    expect(late.sentAt).toEqual([0]);
    const inTime = startRetry([error]);
    expect(await inTime.run({ deadlineAt: 5_000 + pauseMs + 1 })).toBe(ok);
    expect(inTime.sentAt).toEqual([0, pauseMs]);
  });

  it('costs no budget if it does not end before the deadline', async () => {
    const { run, budget } = startRetry([down], { budget: { percent: 0, floor: 1 } });
    await run({ deadlineAt: 5_010 });
    expect(budget.withdraw()).toBe(true);
  });

  it('ends with its request, for the same reason, and leaves nothing behind', async () => {
    const { begin, request, clock, sentAt, left } = startRetry([down]);
    const call = reasonOf(begin());
    await turn();
    expect(left()).toEqual([1, 1]);
    const reason = new ExecutionError('disconnected', 'is gone');
    request.abort(reason);
    expect(await call).toBe(reason);
    expect(left()).toEqual([0, 0]);
    clock.advance(60_000);
    await turn();
    expect(sentAt).toEqual([0]);
  });
});

describe('the budget for retries', () => {
  const none = { percent: 0, floor: 0 };

  it('lets the first failure out at once if it is used up', async () => {
    const { begin, sentAt, left } = startRetry([down], { budget: none });
    expect(await reasonOf(begin())).toBe(down);
    expect(sentAt).toEqual([0]);
    expect(left()).toEqual([0, 0]);
  });

  it('pays for every retry', async () => {
    const { run, sentAt } = startRetry([down, status(502)], {
      operation: patient,
      budget: { percent: 0, floor: 1 },
    });
    expect(await run()).toMatchObject({ reason: { status: 502 } });
    expect(sentAt).toHaveLength(2);
  });

  it.each([getOrders, postOrders])('grows with every call: $route.method', async (asked) => {
    const { run, budget } = startRetry([], { operation: asked, budget: { floor: 0 } });
    for (const _ of [1, 2, 3, 4]) await run();
    expect(budget.withdraw()).toBe(false);
    await run();
    expect(budget.withdraw()).toBe(true);
  });

  it('grows with the call, not with its retries', async () => {
    const { run, budget } = startRetry([down, down], {
      operation: patient,
      budget: { percent: 50, floor: 2 },
    });
    expect(await run()).toBe(ok);
    expect(budget.withdraw()).toBe(false);
  });

  it('is not used if no connection was made and another address is left', async () => {
    const options = { budget: none, endpoints: 2, operation: patient };
    const { run, sentAt } = startRetry([failure('connect')], options);
    expect(await run()).toBe(ok);
    expect(sentAt).toHaveLength(2);
  });

  it('does not change by an attempt that costs nothing', async () => {
    const { run, budget } = startRetry([failure('connect')], {
      budget: { percent: 0, floor: 1 },
      endpoints: 2,
    });
    expect(await run()).toBe(ok);
    expect(budget.withdraw()).toBe(true);
  });

  it('is used once all addresses have been tried', async () => {
    const options = { budget: none, endpoints: 2, operation: patient };
    const { run, sentAt } = startRetry([failure('connect'), failure('connect')], options);
    expect(await run()).toMatchObject({ reason: { kind: 'connect' } });
    expect(sentAt).toHaveLength(2);
  });

  it('is used if a connection was made', async () => {
    const { run, sentAt } = startRetry([failure('timeout')], { budget: none, endpoints: 2 });
    expect(await run()).toMatchObject({ reason: { kind: 'timeout' } });
    expect(sentAt).toEqual([0]);
  });
});

describe('the list of tried addresses', () => {
  it('is passed on from attempt to attempt, and is new for every call', async () => {
    const { run, sent } = startRetry([down]);
    await run();
    await run();
    expect(sent.map((call) => call.tried.length)).toEqual([2, 2, 1]);
    expect(sent[0]?.tried).toBe(sent[1]?.tried);
    expect(sent[2]?.tried).not.toBe(sent[0]?.tried);
  });

  it('is also made for calls that are not retried', async () => {
    const { run, sent } = startRetry([], { operation: postOrders });
    await run();
    expect(sent[0]?.tried).toEqual([unreached]);
  });
});
