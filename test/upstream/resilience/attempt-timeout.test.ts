import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { attemptTimeout } from '../../../src/upstream/resilience/attempt-timeout.ts';
import type { Call, Reply } from '../../../src/upstream/call.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import {
  attemptsWith,
  dispatchFor,
  failureOf,
  nowhere,
  ok,
  reasonOf,
} from '../../support/upstream-calls.ts';

const getOrder = operation(nowhere, {
  route: 'GET /orders',
  response: z.unknown(),
  timeoutMs: 800,
});

/** An attempt at a service that answers when it is told to, or gives up when its signal says so. */
function startAttempt(rest: Partial<Call> = {}) {
  const clock = createFakeClock({ startAt: 5_000 });
  const request = new AbortController();
  const answer = Promise.withResolvers<Reply>();
  const sent: Call[] = [];
  const send = attemptsWith(
    [],
    (call) => {
      sent.push(call);
      call.signal.addEventListener('abort', () => answer.reject(call.signal.reason));
      return answer.promise;
    },
    { startTimeout: attemptTimeout(clock), clock },
  );
  const attempt = send(
    dispatchFor(getOrder, {}, { signal: request.signal, deadlineAt: 15_000, ...rest }),
  );
  const left = () => ({
    timers: clock.pending,
    listeners: getEventListeners(request.signal, 'abort').length,
  });
  return { clock, request, answer, sent, attempt, left };
}

function failAtOnce(): never {
  throw new TypeError('at once');
}

const nothing = { timers: 0, listeners: 0 };

describe('an attempt with a timeout', () => {
  it('gives the answer if that comes in time', async () => {
    const { attempt, answer, clock, left } = startAttempt();
    clock.advance(799);
    answer.resolve(ok);
    expect(await attempt).toBe(ok);
    expect(left()).toEqual(nothing);
  });

  it('fails, with its signal aborted, if the answer does not come in time', async () => {
    const { attempt, clock, sent, left, request } = startAttempt();
    clock.advance(799);
    expect(sent[0]?.signal.aborted).toBe(false);
    clock.advance(1);
    const error = await failureOf(attempt);
    expect(error).toMatchObject({
      kind: 'timeout',
      message: 'shop.getOrders: did not answer within 800 ms',
    });
    expect(sent[0]?.signal.reason).toBe(error);
    expect(request.signal.aborted).toBe(false);
    expect(left()).toEqual(nothing);
  });

  it('fails with its own failure if there is one', async () => {
    const { attempt, answer, left } = startAttempt();
    answer.reject(new TypeError('down'));
    expect(await reasonOf(attempt)).toEqual(new TypeError('down'));
    expect(left()).toEqual(nothing);
  });

  it('leaves nothing behind if it throws at once', async () => {
    const clock = createFakeClock();
    const { signal } = new AbortController();
    const send = attemptsWith([], failAtOnce, { startTimeout: attemptTimeout(clock), clock });
    expect(await reasonOf(send(dispatchFor(getOrder, {}, { signal })))).toEqual(
      new TypeError('at once'),
    );
    expect([clock.pending, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
  });

  it('ends with its request, for the same reason', async () => {
    const { attempt, request, sent, left } = startAttempt();
    expect(left()).toEqual({ timers: 1, listeners: 1 });
    const reason = new Error('the client is gone');
    request.abort(reason);
    expect(await reasonOf(attempt)).toBe(reason);
    expect(sent[0]?.signal.reason).toBe(reason);
    expect(left()).toEqual(nothing);
  });

  it('is not made for a request that is over', async () => {
    const reason = new Error('over');
    const { attempt, sent, left } = startAttempt({ signal: AbortSignal.abort(reason) });
    expect(await reasonOf(attempt)).toBe(reason);
    expect(sent).toEqual([]);
    expect(left()).toEqual(nothing);
  });
});
