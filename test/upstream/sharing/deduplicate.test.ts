import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import type { RouteText } from '../../../src/dsl/route.ts';
import type { Call, Reply, Send } from '../../../src/upstream/call.ts';
import { withFollowers } from '../../../src/upstream/call.ts';
import type { SendLoad } from '../../../src/upstream/sharing/load.ts';
import { deduplicate } from '../../../src/upstream/sharing/deduplicate.ts';
import {
  callOf,
  callerOf,
  nowhere,
  ok,
  oneByOne,
  reasonOf,
  traceNamed,
  turn,
} from '../../support/upstream-calls.ts';

const getOrder = operation(nowhere, { route: 'GET /orders/:orderId', response: z.unknown() });

function startDeduplication(answer: (call: Call) => Promise<Reply> = async () => ({ ...ok })) {
  const sent: Call[] = [];
  const send: Send = (call) => {
    sent.push(call);
    return answer(call);
  };
  const sendLoad: SendLoad = (load, indexes) => {
    sent.push(load.call);
    for (const index of indexes) load.settle(index, null, ok);
  };
  const openRequest = (): Send => {
    const ways = deduplicate({ send, sendLoad });
    const sendKey = oneByOne(ways.sendLoad);
    return (call) => (call.operation.lookup === undefined ? ways.send(call) : sendKey(call));
  };
  return { sent, openRequest, send: openRequest() };
}

describe('equal calls of one client request', () => {
  it('are sent once, and both get the same reply; the second one says so', async () => {
    const { send, sent } = startDeduplication();
    const [first, second] = await Promise.all(
      ['a', 'a'].map((orderId) => send(callOf(getOrder, { orderId }))),
    );
    expect(second).toEqual({ ...first, deduplicated: true });
    expect(second?.value).toBe(first?.value);
    expect(sent.length).toBe(1);
  });

  it('are sent once even if the first has ended', async () => {
    const { send, sent } = startDeduplication();
    const first = await send(callOf(getOrder, { orderId: 'a' }));
    const second = await send(callOf(getOrder, { orderId: 'a' }));
    expect(second).toEqual({ ...first, deduplicated: true });
    expect(sent.length).toBe(1);
  });

  it.each([
    ['fields in another order', { a: 1, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, a: 1 }],
    ['undefined where the other has nothing', { a: 1 }, { a: 1, b: undefined }],
    ['undefined deep inside', { a: [{ b: 1 }] }, { a: [{ b: 1, c: undefined }] }],
    ['equal dates', { at: new Date(5) }, { at: new Date(5) }],
  ])('are recognised by %s', async (_, args, twin) => {
    const { send, sent } = startDeduplication();
    await Promise.all([send(callOf(getOrder, args)), send(callOf(getOrder, twin))]);
    expect(sent.length).toBe(1);
  });

  it('both fail if the call fails', async () => {
    const { send, sent } = startDeduplication(async () => {
      throw new TypeError('down');
    });
    const reasons = await Promise.all(
      ['a', 'a'].map((orderId) => reasonOf(send(callOf(getOrder, { orderId })))),
    );
    expect(reasons).toEqual([new TypeError('down'), new TypeError('down')]);
    expect(await reasonOf(send(callOf(getOrder, { orderId: 'a' })))).toBe(reasons[0]);
    expect(sent.length).toBe(1);
  });

  it('both count among the waiting calls, even if the second comes later', async () => {
    const gate = Promise.withResolvers<Reply>();
    const { send, sent } = startDeduplication(() => gate.promise);
    const calls = ['early', 'same turn', 'late'].map((trace) =>
      callOf(getOrder, { orderId: 'a' }, { trace: traceNamed(trace) }),
    );
    const waiters = () => sent.flatMap(withFollowers).map(({ trace }) => trace);
    const replies = [calls[0], calls[1]].map((call) => call && send(call));
    expect(waiters()).toEqual(['early', 'same turn']);
    await turn();
    replies.push(calls[2] && send(calls[2]));
    expect(waiters()).toEqual(['early', 'same turn', 'late']);
    gate.resolve(ok);
    expect(await Promise.all(replies)).toMatchObject([ok, ok, ok]);
  });
});

describe('calls that are not equal', () => {
  const other = operation(nowhere, { route: 'GET /returns/:orderId', response: z.unknown() });

  it.each([
    ['arguments', callOf(getOrder, { orderId: 'b' })],
    ['types of arguments', callOf(getOrder, { orderId: 7 })],
    ['operations', callOf(other, { orderId: 'a' })],
    ['forwarded headers', callOf(getOrder, { orderId: 'a' }, { headers: { authorization: 'b' } })],
  ])('are all sent if they differ in %s', async (_, call) => {
    const { send, sent } = startDeduplication();
    await Promise.all([send(callOf(getOrder, { orderId: 'a' })), send(call)]);
    expect(sent.length).toBe(2);
  });

  it('belong to different client requests', async () => {
    const { openRequest, sent } = startDeduplication();
    const call = callOf(getOrder, { orderId: 'a' });
    await Promise.all([openRequest()(call), openRequest()(call)]);
    expect(sent.length).toBe(2);
  });
});

const orderWith = (route: RouteText): Operation =>
  operation(nowhere, { name: 'order', route, response: z.unknown() });
const lookupWith = (route: RouteText): Operation =>
  lookup(nowhere, {
    name: 'orders',
    route,
    keys: { query: 'ids' },
    by: 'id',
    item: z.object({ id: z.string() }),
  });

describe('two equal calls', () => {
  it.each([
    ['GET', orderWith('GET /orders'), 1],
    ['POST', orderWith('POST /orders'), 2],
    ['PUT', orderWith('PUT /orders'), 2],
    ['PATCH', orderWith('PATCH /orders'), 2],
    ['DELETE', orderWith('DELETE /orders'), 2],
    ['a lookup by GET', lookupWith('GET /orders'), 1],
    ['a lookup by POST, which only reads', lookupWith('POST /orders'), 1],
  ])('need the right number of requests: %s', async (_, own, requests) => {
    const { send, sent } = startDeduplication();
    await Promise.all([send(callOf(own, { id: '7' })), send(callOf(own, { id: '7' }))]);
    expect(sent.length).toBe(requests);
  });
});

describe('a write', () => {
  const save = operation(nowhere, { route: 'PUT /orders/:orderId', response: z.unknown() });

  it('makes the same read happen again, and is noted by its client request', async () => {
    const { send, sent } = startDeduplication();
    const caller = callerOf();
    await send(callOf(getOrder, { orderId: 'a' }, { caller }));
    expect(caller.hasWritten).toBe(false);
    await send(callOf(save, { orderId: 'a' }, { caller }));
    expect(caller.hasWritten).toBe(true);
    await send(callOf(getOrder, { orderId: 'a' }, { caller }));
    expect(sent.map(({ operation: { name } }) => name)).toEqual([
      'getOrders',
      'putOrders',
      'getOrders',
    ]);
  });
});
