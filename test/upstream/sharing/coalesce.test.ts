import { getEventListeners } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import { batch } from '../../../src/upstream/sharing/batch.ts';
import type { Call, Dispatch, Reply, Send } from '../../../src/upstream/call.ts';
import { coalesce } from '../../../src/upstream/sharing/coalesce.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import {
  callOf,
  failureOf,
  nowhere,
  ok,
  oneByOne,
  reasonOf,
  turn,
} from '../../support/upstream-calls.ts';

const getOrder = operation(nowhere, {
  name: 'get',
  route: 'GET /orders/:id',
  response: z.unknown(),
});
const createOrder = operation(nowhere, {
  name: 'create',
  route: 'POST /orders',
  response: z.unknown(),
});
const alone = operation(nowhere, {
  name: 'alone',
  route: 'GET /alone/:id',
  response: z.unknown(),
  coalesce: false,
});

/** Calls that are sent at once and answered by hand. */
function startFlights(most?: number) {
  const sent: { call: Call; answer: PromiseWithResolvers<Reply> }[] = [];
  const send = coalesce(
    createFakeClock(),
    most === undefined ? {} : { mostFlights: most },
  )((call) => {
    const answer = Promise.withResolvers<Reply>();
    sent.push({ call, answer });
    call.signal.addEventListener('abort', () => answer.reject(call.signal.reason), { once: true });
    return answer.promise;
  });
  return { sent, send };
}

/** A client that can leave. */
function client(
  own: Operation = getOrder,
  args: Call['args'] = { id: 'a' },
  rest: Partial<Call> = {},
) {
  const controller = new AbortController();
  return {
    call: callOf(own, args, { signal: controller.signal, ...rest }),
    leave: () => controller.abort(new Error('gone')),
    listeners: () => getEventListeners(controller.signal, 'abort').length,
  };
}

describe('identical calls in flight', () => {
  it('are one dispatch, and each gets the reply, which says whether it is shared', async () => {
    const { send, sent } = startFlights();
    const replies = [client(), client(), client()].map(({ call }) => send(call));
    expect(sent.length).toBe(1);
    sent[0]?.answer.resolve(ok);
    const shared = { ...ok, deduplicated: true };
    expect(await Promise.all(replies)).toEqual([ok, shared, shared]);
  });

  it('fail together', async () => {
    const { send, sent } = startFlights();
    const reasons = [client(), client()].map(({ call }) => reasonOf(send(call)));
    sent[0]?.answer.reject(new TypeError('down'));
    expect(await Promise.all(reasons)).toEqual([new TypeError('down'), new TypeError('down')]);
  });

  it('are forgotten when they have ended', async () => {
    const { send, sent } = startFlights();
    const first = send(client().call);
    sent[0]?.answer.resolve(ok);
    await first;
    void send(client().call);
    expect(sent.length).toBe(2);
  });

  it('are not shared if they forward something else, write, or opt out', async () => {
    const { send, sent } = startFlights();
    const one = { headers: { authorization: 'one' } };
    const two = { headers: { authorization: 'two' } };
    const calls = [
      client(getOrder, { id: 'a' }, one),
      client(getOrder, { id: 'a' }, two),
      client(createOrder, {}),
      client(createOrder, {}),
      client(alone),
      client(alone),
    ];
    for (const { call } of calls) void send(call);
    await turn();
    expect(sent.length).toBe(6);
  });

  it('have keys that contain no header values, only a hash', () => {
    const secret = 'Bearer canary';
    expect(callOf(getOrder, {}, { headers: { authorization: secret } }).identity).not.toContain(
      'canary',
    );
  });
});

describe('a call in flight', () => {
  it('is not joined by a call with far more time than its service was given', async () => {
    const { send, sent } = startFlights();
    void send(client(getOrder, { id: 'a' }, { deadlineAt: 300 }).call);
    void send(client(getOrder, { id: 'a' }, { deadlineAt: 500 }).call);
    expect(sent.length).toBe(1);
    void send(client(getOrder, { id: 'a' }, { deadlineAt: 10_000 }).call);
    expect(sent.length).toBe(2);
    void send(client(getOrder, { id: 'a' }, { deadlineAt: 10_000 }).call);
    expect(sent.length).toBe(2);
  });

  it('is not joined by a call whose request has written since', async () => {
    const { send, sent } = startFlights();
    void send(client().call);
    void send(client(getOrder, { id: 'a' }, { afterWrite: true }).call);
    expect(sent.length).toBe(2);
  });

  it('gives the calls that share it a value that none of them can change', async () => {
    const { send, sent } = startFlights();
    const replies = [client(), client()].map(({ call }) => send(call));
    sent[0]?.answer.resolve({ ...ok, value: { items: [{ id: 1 }] } });
    const [first] = await Promise.all(replies);
    const { items } = z.object({ items: z.custom<readonly object[]>() }).parse(first?.value);
    expect([Object.isFrozen(items), Object.isFrozen(items[0])]).toEqual([true, true]);
  });
});

describe('a caller that leaves a flight', () => {
  it('gets the reason of its own request, and the others get their reply', async () => {
    const { send, sent } = startFlights();
    const [first, second] = [client(), client()];
    const left = reasonOf(send(first.call));
    const stayed = send(second.call);
    first.leave();
    expect(await left).toEqual(new Error('gone'));
    expect(sent[0]?.call.signal.aborted).toBe(false);
    sent[0]?.answer.resolve(ok);
    expect(await stayed).toMatchObject(ok);
  });

  it('aborts the flight if it is the last, and the next call starts a new one', async () => {
    const { send, sent } = startFlights();
    const [first, second] = [client(), client()];
    const reasons = [first, second].map(({ call }) => reasonOf(send(call)));
    first.leave();
    second.leave();
    await Promise.all(reasons);
    expect(sent[0]?.call.signal.reason).toMatchObject({ kind: 'aborted' });
    void send(client().call);
    expect(sent.length).toBe(2);
  });

  it('leaves no listener behind, nor does one that stays', async () => {
    const { send, sent } = startFlights();
    const [first, second] = [client(), client()];
    const left = reasonOf(send(first.call));
    const stayed = send(second.call);
    first.leave();
    sent[0]?.answer.resolve(ok);
    await Promise.all([left, stayed]);
    expect([first.listeners(), second.listeners()]).toEqual([0, 0]);
  });

  it('does not start a flight if it has left before', async () => {
    const { send, sent } = startFlights();
    const gone = client();
    gone.leave();
    expect(await reasonOf(send(gone.call))).toEqual(new Error('gone'));
    expect(sent).toEqual([]);
  });
});

describe('the number of flights', () => {
  it('is limited: one more flight fails, one more caller does not', async () => {
    const { send } = startFlights(2);
    void send(client(getOrder, { id: 'a' }).call);
    void send(client(getOrder, { id: 'b' }).call);
    void send(client(getOrder, { id: 'b' }).call);
    const error = await failureOf(send(client(getOrder, { id: 'c' }).call));
    expect(error.kind).toBe('overloaded');
  });
});

describe('two identities', () => {
  const item = z.object({ id: z.string(), for: z.string() });
  const mine = lookup(nowhere, {
    name: 'mine',
    route: 'GET /mine',
    keys: { query: 'ids' },
    by: 'id',
    item,
  });
  const read = operation(nowhere, { name: 'read', route: 'GET /read/:id', response: z.unknown() });

  const visit = fc.record({
    identity: fc.constantFrom(undefined, 'ann', 'bob', 'ann ', '{"a":1}'),
    id: fc.constantFrom('a', 'b', 'c'),
    batched: fc.boolean(),
    /** The turns of the event loop before it comes, and before it leaves. */
    comes: fc.nat(3),
    leaves: fc.option(fc.nat(3), { nil: undefined }),
    fails: fc.boolean(),
  });

  it('never share a byte, in any sequence of calls, disconnects and failures', async () => {
    await assertProperty(
      fc.asyncProperty(fc.array(visit, { minLength: 1, maxLength: 12 }), async (visits) => {
        // The service answers with who asked: what it was told by the header.
        const answer: Send<Dispatch> = async (call) => {
          await turn();
          call.signal.throwIfAborted();
          const whose = call.headers['authorization'] ?? 'nobody';
          if (visits.some((one) => one.fails && one.identity === call.headers['authorization'])) {
            throw new TypeError(`failed for ${whose}`);
          }
          const value = call.keys?.map((id) => ({ id, for: whose })) ?? {
            id: call.args['id'],
            for: whose,
          };
          return { ...ok, value };
        };
        const sendCall = coalesce(createFakeClock())(answer);
        const sendKey = oneByOne(batch(createFakeClock(), answer));
        await Promise.all(
          visits.map(async ({ identity, id, batched, comes, leaves }) => {
            for (let waited = 0; waited < comes; waited += 1) await turn();
            const headers: Record<string, string> =
              identity === undefined ? {} : { authorization: identity };
            const guest = client(batched ? mine : read, { id }, { headers });
            const send = batched ? sendKey : sendCall;
            const outcome = send(guest.call).then(
              ({ value }) => value,
              (error: unknown) => error,
            );
            if (leaves !== undefined) {
              for (let waited = 0; waited < leaves; waited += 1) await turn();
              guest.leave();
            }
            const whose = identity ?? 'nobody';
            const got = await outcome;
            const own = [
              { id, for: whose },
              new TypeError(`failed for ${whose}`),
              new Error('gone'),
            ];
            expect(own).toContainEqual(got);
            expect(guest.listeners()).toBe(0);
          }),
        );
      }),
      { full: 2_000 },
    );
  });
});
