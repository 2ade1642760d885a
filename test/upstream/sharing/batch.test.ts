import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import type { Lookup } from '../../../src/dsl/lookup.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { batch } from '../../../src/upstream/sharing/batch.ts';
import type { Call, Dispatch, Send } from '../../../src/upstream/call.ts';
import { dispatchOf } from '../../../src/upstream/call.ts';
import { deduplicate } from '../../../src/upstream/sharing/deduplicate.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer } from '../../support/servers.ts';
import {
  callOf,
  failureOf,
  nowhere,
  ok,
  oneByOne,
  reasonOf,
  openShop,
  traceNamed,
  turn,
} from '../../support/upstream-calls.ts';

const Payment = z.object({ orderId: z.string(), status: z.string() });
type Payments = Omit<
  Partial<Lookup>,
  | 'errors'
  | 'limit'
  | 'limit'
  | 'argument'
  | 'keys'
  | 'concurrency'
  | 'by'
  | 'key'
  | 'items'
  | 'maxBytes'
> & {
  readonly items?: string;
  readonly query?: z.ZodObject;
};

function paymentOf(options: Payments = {}): Operation {
  const { query, items, ...rest } = options;
  return lookup(nowhere, {
    name: 'paymentOf',
    route: 'GET /payments',
    keys: { query: 'orderIds' },
    by: 'orderId',
    item: Payment,
    ...rest,
    ...(query && { query }),
    ...(items !== undefined && { items }),
  });
}

const paid = (orderId: unknown, status: unknown = 'paid') => ({ orderId, status });

/** A request to a service that answers `answer(keys)`; `requests` lists the keys of each batch. */
function startBatch(
  answer: (keys: readonly string[]) => unknown = (keys) => keys.map((key) => paid(key)),
  own: Operation = paymentOf(),
) {
  const sent: Dispatch[] = [];
  const send: Send<Dispatch> = async (call) => {
    sent.push(call);
    return { ...ok, value: await answer((call.keys ?? []).map(String)) };
  };
  const { sendLoad } = deduplicate({
    send: (call) => send(dispatchOf(call)),
    sendLoad: batch(createFakeClock(), send),
  });
  const perRequest = oneByOne(sendLoad);
  const load = async (orderId: unknown, rest: Partial<Call> & { args?: object } = {}) => {
    const { args, ...other } = rest;
    return (await perRequest(callOf(own, { orderId, ...args }, other))).value;
  };
  return { load, sent, requests: () => sent.map(({ keys }) => keys) };
}

describe('the number of requests for a lookup', () => {
  it('is the number of distinct keys divided by max, rounded up', async () => {
    await assertProperty(
      fc.asyncProperty(
        fc.array(fc.nat(30), { minLength: 1 }),
        fc.integer({ min: 1, max: 12 }),
        async (keys, max) => {
          const { load, sent } = startBatch(undefined, paymentOf({ max }));
          await Promise.all(keys.map((key) => load(String(key))));
          expect(sent.length).toBe(Math.ceil(new Set(keys).size / max));
          expect(sent.flatMap((call) => call.keys ?? []).toSorted()).toEqual(
            [...new Set(keys.map(String))].toSorted(),
          );
        },
      ),
    );
  });

  it('counts a number and its text as one key', async () => {
    const { load, requests } = startBatch(undefined, paymentOf({ max: 2 }));
    await Promise.all([load(7), load('7'), load(7n), load(8)]);
    expect(requests()).toEqual([[7, 8]]);
  });

  it('is one for loads made deep in promise chains of the same turn', async () => {
    const { load, requests } = startBatch();
    const deep = async (depth: number, key: string): Promise<unknown> => {
      if (depth === 0) return load(key);
      await Promise.resolve();
      return deep(depth - 1, key);
    };
    await Promise.all([load('a'), deep(1, 'b'), deep(40, 'c')]);
    expect(requests()).toEqual([['a', 'b', 'c']]);
  });

  it('is two if there is I/O between the loads', async () => {
    const { load, requests } = startBatch();
    const first = load('a');
    await turn();
    await Promise.all([first, load('b')]);
    expect(requests()).toEqual([['a'], ['b']]);
  });

  it('is zero for a key that a batch has answered before in the same client request', async () => {
    const { load, requests } = startBatch();
    await load('a');
    expect(await Promise.all([load('a'), load('b')])).toEqual([paid('a'), paid('b')]);
    expect(requests()).toEqual([['a'], ['b']]);
  });

  it('is one for each set of other arguments', async () => {
    const query = z.object({ currency: z.string().optional() });
    const { load, requests } = startBatch(undefined, paymentOf({ query }));
    const inEuros = { args: { currency: 'EUR' } };
    await Promise.all([
      load('a'),
      load('b', inEuros),
      load('c', inEuros),
      load('d', { args: { currency: undefined } }),
    ]);
    expect(requests()).toEqual([
      ['a', 'd'],
      ['b', 'c'],
    ]);
  });

  it('is one for each identity, if forwarded headers differ', async () => {
    const { load, sent } = startBatch();
    const [anna, bert] = [{ authorization: 'anna' }, { authorization: 'bert' }];
    await Promise.all([
      load('a', { headers: anna }),
      load('a', { headers: bert }),
      load('b', { headers: anna }),
    ]);
    expect(sent.map(({ keys, headers }) => ({ keys, headers }))).toEqual([
      { keys: ['a', 'b'], headers: anna },
      { keys: ['a'], headers: bert },
    ]);
  });

  it('is one for each of two lookups', async () => {
    const sent: Dispatch[] = [];
    const send: Send<Dispatch> = async (call) => {
      sent.push(call);
      return { ...ok, value: [] };
    };
    const perRequest = oneByOne(batch(createFakeClock(), send));
    const refundOf = lookup(nowhere, {
      route: 'GET /refunds',
      keys: { query: 'ids' },
      by: 'orderId',
      item: Payment,
    });
    const calls = [paymentOf(), refundOf].map((own) => perRequest(callOf(own, { orderId: 'a' })));
    await Promise.all(calls);
    expect(sent.map(({ operation: own }) => own.name)).toEqual(['paymentOf', 'getRefunds']);
  });
});

describe('a batch', () => {
  it('lists all calls that wait for it, also followers', async () => {
    const hanging = Promise.withResolvers<unknown>();
    const { load, sent } = startBatch(() => hanging.promise);
    const loads = [
      load('a', { trace: traceNamed('1st a') }),
      load('b', { trace: traceNamed('b') }),
      load('a', { trace: traceNamed('2nd a') }),
    ];
    await turn();
    const traces = sent.flatMap(({ callers }) => callers.waiting()).map(({ trace }) => trace);
    expect(traces).toEqual(['1st a', '2nd a', 'b']);
    hanging.resolve([]);
    await Promise.all(loads);
  });

  it('is left at once when the request of an unshareable call ends', async () => {
    const alone = lookup(nowhere, {
      route: 'GET /alone',
      keys: { query: 'ids' },
      by: 'orderId',
      item: Payment,
      coalesce: false,
    });
    const hanging = Promise.withResolvers<unknown>();
    const { load } = startBatch(() => hanging.promise, alone);
    const client = new AbortController();
    const left = reasonOf(load('a', { signal: client.signal }));
    await turn();
    client.abort(new Error('its deadline'));
    expect(await left).toEqual(new Error('its deadline'));
    hanging.resolve([]);
  });

  it('is not joined by a call whose request is over, which fails as its request did', async () => {
    const { load, sent } = startBatch();
    const signal = AbortSignal.abort(new Error('its deadline'));
    expect(await reasonOf(load('a', { signal }))).toEqual(new Error('its deadline'));
    await turn();
    expect(sent).toEqual([]);
  });
});

describe('the items of a batch', () => {
  it('are matched to their keys in any order', async () => {
    const { load } = startBatch((keys) => keys.toReversed().map((key) => paid(key, `of ${key}`)));
    expect(await Promise.all(['a', 'b', 'c'].map((key) => load(key)))).toEqual([
      paid('a', 'of a'),
      paid('b', 'of b'),
      paid('c', 'of c'),
    ]);
  });

  it('may be missing, which gives null and shifts nothing', async () => {
    const { load } = startBatch(() => [paid('c'), paid('a')]);
    expect(await Promise.all(['a', 'b', 'c'].map((key) => load(key)))).toEqual([
      paid('a'),
      null,
      paid('c'),
    ]);
  });

  it('are ignored if no key asked for them', async () => {
    const { load } = startBatch((keys) => [paid('x'), ...keys.map((key) => paid(key)), paid('y')]);
    expect(await Promise.all([load('a'), load('b')])).toEqual([paid('a'), paid('b')]);
  });

  it('count once if they are repeated: the first one', async () => {
    const { load } = startBatch(() => [paid('a', 'first'), paid('b'), paid('a', 'second')]);
    expect(await Promise.all([load('a'), load('b')])).toEqual([paid('a', 'first'), paid('b')]);
  });

  it('may have a number as key where a text was asked for, and the other way round', async () => {
    const item = z.object({ id: z.number(), status: z.string() });
    const own = lookup(nowhere, { route: 'GET /p', keys: { query: 'ids' }, by: 'id', item });
    const perRequest = oneByOne(
      batch(createFakeClock(), async () => ({ ...ok, value: [{ id: 7, status: 'paid' }] })),
    );
    for (const id of [7, '7'])
      // oxlint-disable-next-line no-await-in-loop -- one after the other on purpose
      expect((await perRequest(callOf(own, { id }))).value).toEqual({ id: 7, status: 'paid' });
  });

  it('are parsed by the schema', async () => {
    const { load } = startBatch(() => [{ ...paid('a'), secret: 'not in the schema' }]);
    expect(await load('a')).toEqual(paid('a'));
  });

  it('fail only their own key if they do not fit the schema', async () => {
    const { load } = startBatch(() => [paid('a'), paid('b', 42), paid('c')]);
    const [a, b, c] = await Promise.allSettled(['a', 'b', 'c'].map((key) => load(key)));
    expect([a, c]).toMatchObject([{ value: paid('a') }, { value: paid('c') }]);
    expect(b).toMatchObject({ reason: { kind: 'invalid-body', operation: 'paymentOf' } });
    expect(String((b as PromiseRejectedResult).reason)).toContain('/status in its body');
  });

  it.each([
    ['null', null],
    ['a text', 'a'],
    ['a list', ['a']],
    ['an object without the field', { status: 'paid' }],
    ['an object with null for a key', paid(null)],
    ['an object with an object for a key', paid({ id: 'a' })],
    ['an object with a number too large to be exact', paid(2 ** 60)],
    ['an object that inherits the field', Object.create(paid('a'))],
  ])('fail the keys that have no item if one has no readable key: %s', async (_, stray) => {
    const { load } = startBatch(() => [stray, paid('b')]);
    const a = failureOf(load('a'));
    expect(await load('b')).toEqual(paid('b'));
    expect(await a).toMatchObject({
      kind: 'invalid-body',
      message: 'shop.paymentOf: answered with an item that has no readable "orderId"',
    });
  });
});

describe('a lookup with many', () => {
  const many = paymentOf({ many: true });

  it('gives every key the list of its items, in the order of the answer', async () => {
    const { load } = startBatch(
      () => [paid('b', '1'), paid('a', '2'), paid('b', '3'), paid('x', '4')],
      many,
    );
    expect(await Promise.all([load('a'), load('b'), load('c')])).toEqual([
      [paid('a', '2')],
      [paid('b', '1'), paid('b', '3')],
      [],
    ]);
  });

  it('fails a key if one of its items does not fit the schema', async () => {
    const { load } = startBatch(() => [paid('a'), paid('a', 1), paid('b')], many);
    const a = failureOf(load('a'));
    expect(await load('b')).toEqual([paid('b')]);
    expect(await a).toMatchObject({ kind: 'invalid-body' });
  });

  it('fails every key if an item has no readable key, since it may belong to any', async () => {
    const { load } = startBatch(() => [paid('a'), paid(undefined)], many);
    const failures = await Promise.all(['a', 'b'].map((key) => failureOf(load(key))));
    expect(failures.map(({ kind }) => kind)).toEqual(['invalid-body', 'invalid-body']);
  });

  it('fails a key without items if missing is an error', async () => {
    const { load } = startBatch(() => [paid('a')], paymentOf({ many: true, missing: 'error' }));
    const b = failureOf(load('b'));
    expect(await load('a')).toEqual([paid('a')]);
    expect((await b).kind).toBe('missing');
  });
});

describe('a missing item', () => {
  it('fails its key only if the lookup says so', async () => {
    const { load } = startBatch(() => [paid('a')], paymentOf({ missing: 'error' }));
    const b = failureOf(load('b'));
    expect(await load('a')).toEqual(paid('a'));
    expect(await b).toMatchObject({
      kind: 'missing',
      message: 'shop.paymentOf: answered without an item for the key',
    });
  });
});

describe('a failed request of a batch', () => {
  it('fails the keys of its own request and no others', async () => {
    const { load } = startBatch(
      (keys) => {
        if (keys.includes('c')) throw new TypeError('chunk is down');
        return keys.map((key) => paid(key));
      },
      paymentOf({ max: 2 }),
    );
    const results = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map((key) => load(key)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(results[3]).toMatchObject({ reason: new TypeError('chunk is down') });
  });

  it('becomes an error even if it was none', async () => {
    const { load } = startBatch(() => {
      throw 'just text'; // eslint-disable-line no-throw-literal -- what others may do
    });
    await expect(load('a')).rejects.toEqual(new Error('just text'));
  });
});

describe('a lookup key', () => {
  it.each([
    [undefined, 'is not a key'],
    [null, 'is not a key'],
    ['', 'is not a key'],
    [true, 'is not a key'],
    [{}, 'is not a key'],
    [['a'], 'is not a key'],
    [Number.NaN, 'is not a key'],
    [Number.POSITIVE_INFINITY, 'is not a key'],
    [2 ** 53, 'is not a key'],
    ['a,b', 'contains a comma, which separates keys'],
    ['\ud800', 'is not well-formed Unicode'],
    ['x'.repeat(1_025), 'is longer than 1024 characters'],
  ])('fails on its own if it is %j, and the others are sent', async (orderId, problem) => {
    const { load, requests } = startBatch();
    const refused = failureOf(load(orderId));
    expect(await load('a')).toEqual(paid('a'));
    expect(await refused).toMatchObject({ kind: 'invalid-argument', argument: 'orderId' });
    expect((await refused).message).toContain(`argument "orderId" ${problem}`);
    expect(requests()).toEqual([['a']]);
  });

  it.each([{ query: 'id', repeat: true }, { body: 'ids' }])(
    'may contain a comma with the key style %j',
    async (keys) => {
      const own = lookup(nowhere, { route: 'POST /p', keys, by: 'orderId', item: Payment });
      const { load, requests } = startBatch(undefined, own);
      expect(await load('a,b')).toEqual(paid('a,b'));
      expect(requests()).toEqual([['a,b']]);
    },
  );

  it.each(['__proto__', 'constructor', 'toString', '0', '-1', ' ', '1e3'])(
    'may be called %j',
    async (key) => {
      const { load } = startBatch((keys) => keys.filter((one) => one === key).map((k) => paid(k)));
      expect(await Promise.all([load(key), load('other')])).toEqual([paid(key), null]);
    },
  );
});

describe('every call of a lookup', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', '1', '2', 'e é', '__proto__');
  const item = fc.record({
    orderId: fc.oneof(key, fc.constantFrom(1, 2)),
    status: fc.oneof({ weight: 5, arbitrary: fc.string() }, { weight: 1, arbitrary: fc.nat() }),
  });

  it('gets what it would have got on its own', async () => {
    await assertProperty(
      fc.asyncProperty(
        fc.array(key, { minLength: 1 }),
        fc.array(item, { maxLength: 20 }),
        fc.array(item.map((surplus) => ({ ...surplus, orderId: `${surplus.orderId}?` }))),
        fc.record({
          max: fc.integer({ min: 1, max: 5 }),
          many: fc.boolean(),
          missing: fc.constantFrom('null' as const, 'error' as const),
        }),
        async (keys, table, surplus, options) => {
          const own = paymentOf(options);
          const answer = (asked: readonly string[]) => [
            ...surplus,
            ...table.filter(({ orderId }) => asked.includes(String(orderId))),
          ];
          const together = startBatch(answer, own);
          const alone = await Promise.allSettled(
            keys.map((one) => startBatch(answer, own).load(one)),
          );
          const batched = await Promise.allSettled(keys.map((one) => together.load(one)));
          expect(batched).toEqual(alone);
        },
      ),
      { full: 300 },
    );
  });
});

describe('a lookup over a real connection', () => {
  it('makes one request of three calls, and unwraps a wrapped list', async () => {
    const { url, requests } = await startServer((_, response) =>
      response.end(JSON.stringify({ total: 2, items: [paid('c'), paid('a')] })),
    );
    const { service, call } = openShop({ url });
    const own = lookup(service, {
      route: 'GET /payments',
      keys: { query: 'orderIds' },
      by: 'orderId',
      item: Payment,
      items: 'items',
    });
    const replies = await Promise.all(
      ['a', 'b', 'c'].map((orderId) => call(own, { orderId }, undefined)),
    );
    expect(replies.map(({ value }) => value)).toEqual([paid('a'), null, paid('c')]);
    expect(requests.map(({ target }) => target)).toEqual(['/payments?orderIds=a,b,c']);
  });

  it('keeps a number a number in a body', async () => {
    const { url, requests } = await startServer((_, response) => response.end('[]'));
    const { service, call } = openShop({ url });
    const own = lookup(service, {
      route: 'POST /search',
      keys: { body: 'ids' },
      by: 'id',
      item: z.object({ id: z.number() }),
    });
    await Promise.all([call(own, { id: 7 }, undefined), call(own, { id: 8 }, undefined)]);
    expect(requests.map(({ body }) => body)).toEqual(['{"ids":[7,8]}']);
  });

  it('gives no items for an answer without a body', async () => {
    const { url } = await startServer((_, response) => response.writeHead(204).end());
    const { service, call } = openShop({ url });
    const own = lookup(service, {
      route: 'GET /payments',
      keys: { query: 'orderIds' },
      by: 'orderId',
      item: Payment,
      items: 'items',
    });
    expect(await call(own, { orderId: 'a' }, undefined)).toMatchObject({
      status: 204,
      value: null,
    });
  });

  it.each([
    ['{}', undefined, 'its body is not a list'],
    ['[]', 'items', '/items in its body is not a list'],
    ['{"items":{}}', 'items', '/items in its body is not a list'],
    ['{"__proto__":{"items":[]}}', 'items', '/items in its body is not a list'],
  ])('rejects the answer %s if items are in %s', async (body, items, problem) => {
    const { url } = await startServer((_, response) => response.end(body));
    const { service, call } = openShop({ url });
    const own = lookup(service, {
      name: 'paymentOf',
      route: 'GET /payments',
      keys: { query: 'orderIds' },
      by: 'orderId',
      item: Payment,
      ...(items !== undefined && { items }),
    });
    expect(await failureOf(call(own, { orderId: 'a' }, undefined))).toMatchObject({
      kind: 'invalid-body',
      message: `shop.paymentOf: answered a lookup, but ${problem}`,
    });
  });

  it('keeps the other query parameters that the calls of a request share', async () => {
    const { url, requests } = await startServer((_, response) => response.end('[]'));
    const { service, call } = openShop({ url });
    const own = lookup(service, {
      route: 'GET /payments',
      keys: { query: 'orderIds' },
      by: 'orderId',
      item: Payment,
      query: z.strictObject({ currency: z.string() }),
    });
    await Promise.all(
      [
        { orderId: 'a', currency: 'EUR' },
        { orderId: 'b', currency: 'USD' },
        { orderId: 'c', currency: 'EUR' },
      ].map((args) => call(own, args, undefined)),
    );
    expect(requests.map(({ target }) => target).toSorted()).toEqual([
      '/payments?currency=EUR&orderIds=a,c',
      '/payments?currency=USD&orderIds=b',
    ]);
  });
});
