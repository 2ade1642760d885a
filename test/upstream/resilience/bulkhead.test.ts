import { getEventListeners } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { UpstreamError } from '../../../src/errors.ts';
import { createBulkhead } from '../../../src/upstream/resilience/bulkhead.ts';
import type { Dispatch, Reply } from '../../../src/upstream/call.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import {
  attemptsWith,
  dispatchFor,
  traceNamed,
  failureOf,
  nowhere,
  ok,
  reasonOf,
  turn,
} from '../../support/upstream-calls.ts';

const getOrder = operation(nowhere, { route: 'GET /orders', response: z.unknown() });

/** A bulkhead in front of a service that answers on request; `entered` lists calls with permits. */
function startBulkhead(config: { concurrency?: number; queue?: number; waitMs?: number } = {}) {
  const clock = createFakeClock();
  const entered: string[] = [];
  const places = new Map<string, PromiseWithResolvers<Reply>>();
  const bulkhead = createBulkhead({ concurrency: 1, queue: 2, waitMs: 100, ...config }, clock);
  const send = attemptsWith([bulkhead.gate], (call) => {
    const place = Promise.withResolvers<Reply>();
    entered.push(String(call.trace));
    places.set(String(call.trace), place);
    return place.promise;
  });
  const enter = (trace: string, rest: Partial<Dispatch> = {}) =>
    send(dispatchFor(getOrder, {}, { ...rest, trace: traceNamed(trace) }));
  /** The service answers, or fails. */
  const leave = async (name: string, error?: Error) => {
    if (error) places.get(name)?.reject(error);
    else places.get(name)?.resolve(ok);
    await turn();
  };
  return { clock, entered, enter, leave };
}

describe('the permits of a bulkhead', () => {
  it('are as many as the service may have calls in flight', async () => {
    const { enter, leave, entered } = startBulkhead({ concurrency: 2 });
    const calls = ['a', 'b', 'c'].map((name) => enter(name));
    await turn();
    expect(entered).toEqual(['a', 'b']);
    await leave('a');
    expect(entered).toEqual(['a', 'b', 'c']);
    await leave('b');
    await leave('c');
    expect(await Promise.all(calls)).toEqual([ok, ok, ok]);
  });

  it('are waited for by a patient dispatch until its request ends, beyond the queue', async () => {
    const { clock, enter, leave, entered } = startBulkhead({ queue: 1, waitMs: 100 });
    const first = enter('first');
    const brief = failureOf(enter('brief'));
    const patient = enter('patient', { isPatient: true });
    const client = new AbortController();
    const gone = reasonOf(enter('gone', { isPatient: true, signal: client.signal }));
    await turn();
    await clock.advance(5_000);
    expect(await brief).toMatchObject({ kind: 'overloaded' });
    client.abort(new Error('its deadline'));
    expect(await gone).toEqual(new Error('its deadline'));
    await leave('first');
    await leave('patient');
    expect(await Promise.all([first, patient])).toEqual([ok, ok]);
    expect(entered).toEqual(['first', 'patient']);
  });

  it('are given in the order of arrival', async () => {
    const { enter, leave, entered } = startBulkhead({ queue: 3 });
    const calls = ['a', 'b', 'c', 'd'].map((name) => enter(name));
    await turn();
    await leave('a');
    await leave('b');
    await leave('c');
    await leave('d');
    expect(entered).toEqual(['a', 'b', 'c', 'd']);
    await Promise.all(calls);
  });

  it('are released after a failure', async () => {
    const { enter, leave, entered } = startBulkhead();
    const a = reasonOf(enter('a'));
    const b = enter('b');
    await turn();
    await leave('a', new TypeError('down'));
    expect(await a).toEqual(new TypeError('down'));
    expect(entered).toEqual(['a', 'b']);
    await leave('b');
    expect(await b).toBe(ok);
  });

  it('are released after a failure that is thrown at once', async () => {
    const clock = createFakeClock();
    const bulkhead = createBulkhead({ concurrency: 1, queue: 1, waitMs: 100 }, clock);
    const send = attemptsWith([bulkhead.gate], () => {
      throw new TypeError('at once');
    });
    for (const _ of [1, 2, 3])
      // oxlint-disable-next-line no-await-in-loop -- one after the other on purpose
      expect(await reasonOf(send(dispatchFor(getOrder)))).toEqual(new TypeError('at once'));
  });

  it('are never exceeded and never lost, in any sequence of events', async () => {
    // Several events may happen in one turn of the event loop.
    const step = fc.constantFrom('enter', 'leave', 'fail', 'abort', 'wait', 'turn', 'turn');
    await assertProperty(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { enter, leave, entered, clock } = startBulkhead({ concurrency: 2 });
        const left = new Set<string>();
        const requests: AbortController[] = [];
        const calls: Promise<unknown>[] = [];
        const inside = () => entered.filter((name) => !left.has(name));
        const leaveNext = (error?: Error): Promise<void> | undefined => {
          const [name] = inside();
          if (name === undefined) return undefined;
          left.add(name);
          return leave(name, error);
        };
        for (const [index, what] of steps.entries()) {
          if (what === 'enter') {
            const request = new AbortController();
            requests.push(request);
            const call = enter(String(index), { signal: request.signal });
            calls.push(call.catch((error: unknown) => error));
          }
          if (what === 'abort') requests.at(-1)?.abort(new Error('gone'));
          if (what === 'wait') clock.advance(60);
          if (what === 'leave') void leaveNext();
          if (what === 'fail') void leaveNext(new Error('down'));
          if (what === 'turn') await turn();
          expect(inside().length).toBeLessThanOrEqual(2);
        }
        await turn();
        while (inside().length > 0) await leaveNext();
        await Promise.all(calls);
        expect(clock.pending).toBe(0);
        const again = ['x', 'y'].map((name) => enter(name));
        await turn();
        expect(inside()).toEqual(['x', 'y']);
        await leave('x');
        await leave('y');
        await Promise.all(again);
      }),
    );
  });
});

describe('the queue of a bulkhead', () => {
  it('is limited: a call that finds it full fails at once', async () => {
    const { enter, leave, entered } = startBulkhead({ queue: 1 });
    const calls = [enter('a'), enter('b')];
    expect(await failureOf(enter('c'))).toMatchObject({
      kind: 'overloaded',
      message: 'shop.getOrders: was not called: its bulkhead is full (1 in flight, 1 waiting)',
    });
    await turn();
    await leave('a');
    await leave('b');
    await Promise.all(calls);
    expect(entered).toEqual(['a', 'b']);
  });

  it('may have no room at all', async () => {
    const { enter, leave } = startBulkhead({ queue: 0 });
    const a = enter('a');
    expect((await failureOf(enter('b'))).kind).toBe('overloaded');
    await leave('a');
    await a;
    const c = enter('c');
    await turn();
    await leave('c');
    expect(await c).toBe(ok);
  });

  it('does not count calls that have left it', async () => {
    const { enter, leave, clock, entered } = startBulkhead({ queue: 1 });
    const a = enter('a');
    const b = failureOf(enter('b'));
    await turn();
    clock.advance(100);
    expect((await b).kind).toBe('overloaded');
    const c = enter('c');
    await turn();
    await leave('a');
    await leave('c');
    expect(await Promise.all([a, c])).toEqual([ok, ok]);
    expect(entered).toEqual(['a', 'c']);
  });

  it('is left after waitMs, not before', async () => {
    const { enter, leave, clock, entered } = startBulkhead();
    const a = enter('a');
    let over = false;
    const b = failureOf(enter('b').finally(() => (over = true)));
    clock.advance(99);
    await turn();
    expect(over).toBe(false);
    clock.advance(1);
    expect(await b).toMatchObject({
      kind: 'overloaded',
      message: 'shop.getOrders: was not called: its bulkhead had no free permit within 100 ms',
    });
    await leave('a');
    await a;
    expect(entered).toEqual(['a']);
  });

  it('is left when the request ends, with its reason', async () => {
    const { enter, leave, clock, entered } = startBulkhead();
    const request = new AbortController();
    const a = enter('a');
    const b = reasonOf(enter('b', { signal: request.signal }));
    const c = enter('c');
    await turn();
    const deadline = new UpstreamError('timeout', 'is over', { service: 's', operation: 'o' });
    request.abort(deadline);
    expect(await b).toBe(deadline);
    await leave('a');
    await leave('c');
    await Promise.all([a, c]);
    expect(entered).toEqual(['a', 'c']);
    expect(clock.pending).toBe(0);
  });

  it('is not joined by a request that is over', async () => {
    const { enter, leave, clock, entered } = startBulkhead();
    const a = enter('a');
    const reason = new Error('over');
    const signal = AbortSignal.abort(reason);
    expect(await reasonOf(enter('b', { signal }))).toBe(reason);
    expect(clock.pending).toBe(0);
    await leave('a');
    await a;
    expect(await reasonOf(enter('c', { signal }))).toBe(reason);
    expect(entered).toEqual(['a']);
  });
});

describe('a bulkhead', () => {
  it.each(['gets a place', 'waits too long', 'is aborted'])(
    'leaves no timer and no listener behind when a call %s',
    async (end) => {
      const { enter, leave, clock } = startBulkhead();
      const request = new AbortController();
      const { signal } = request;
      const a = enter('a', { signal });
      const b = enter('b', { signal }).catch(() => undefined);
      await turn();
      expect([clock.pending, getEventListeners(signal, 'abort').length]).toEqual([1, 1]);
      if (end === 'waits too long') clock.advance(100);
      if (end === 'is aborted') request.abort(new Error('gone'));
      await leave('a');
      await leave('b');
      await Promise.all([a, b]);
      expect([clock.pending, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
    },
  );
});
