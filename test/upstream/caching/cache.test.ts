import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { OperationCache } from '../../../src/dsl/cache.ts';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import { UpstreamError } from '../../../src/errors.ts';
import type { UpstreamErrorKind } from '../../../src/errors.ts';
import { batch } from '../../../src/upstream/sharing/batch.ts';
import { cache } from '../../../src/upstream/caching/cache.ts';
import type { CacheStore } from '../../../src/upstream/caching/cache-store.ts';
import type { Call, Dispatch, Reply, Send } from '../../../src/upstream/call.ts';
import { callError } from '../../../src/upstream/call.ts';
import { coalesce } from '../../../src/upstream/sharing/coalesce.ts';
import { createMemoryStore } from '../../../src/upstream/caching/memory-store.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer } from '../../support/servers.ts';
import {
  callOf,
  callPerKey,
  failureOf,
  nowhere,
  oneByOne,
  reasonOf,
  openShop,
  turn,
} from '../../support/upstream-calls.ts';

const everything = {
  ttlMs: 1_000,
  staleWhileRevalidateMs: 2_000,
  staleIfErrorMs: 4_000,
  negativeTtlMs: 500,
};

function cached(own: Partial<OperationCache> = {}, response: z.ZodType = z.unknown()): Operation {
  return operation(nowhere, {
    name: 'getOrder',
    route: 'GET /orders/:orderId',
    response,
    forward: ['authorization'],
    cache: { ttlMs: 1_000, ...own },
  });
}

interface Answer extends Partial<Reply> {
  readonly fail?: Error;
}

/** The shared part of the pipeline, and a service that gives `answers` and then counts up. */
function startCache(...answers: Answer[]) {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  const sent: Dispatch[] = [];
  const refreshErrors: unknown[] = [];
  const gates: (() => void)[] = [];
  const state = { held: false };
  const service: Send<Dispatch> = async (call) => {
    sent.push(call);
    const number = sent.length;
    if (state.held) await heldBy(call);
    const { fail, ...rest } = answers[number - 1] ?? {};
    if (fail !== undefined) throw fail;
    const value = number;
    return { status: 200, headers: {}, value, raw: value, ...rest };
  };
  const heldBy = (call: Call): Promise<void> =>
    new Promise((resolve, reject) => {
      gates.push(resolve);
      call.signal.addEventListener('abort', () => reject(call.signal.reason));
    });
  const caching = cache({ store, clock, onRefreshError: (error) => refreshErrors.push(error) });
  const sendCall = caching.call(coalesce(createFakeClock())(service));
  const sendKey = oneByOne(caching.load(batch(clock, service)));
  const send: Send = (call) =>
    call.operation.lookup === undefined ? sendCall(call) : sendKey(call);
  return {
    clock,
    store,
    sent,
    refreshErrors,
    send,
    hold: () => (state.held = true),
    release: async () => {
      state.held = false;
      for (const open of gates.splice(0)) open();
      await turn();
    },
    /** The value of a call of `operation`, and where it came from. */
    get: async (own: Operation, args: Call['args'] = { orderId: 'a' }) => {
      const reply = await send(callOf(own, args));
      await turn();
      return [reply.value, reply.cache];
    },
  };
}

/** For how long a reply with `headers` is served from the cache. */
async function freshFor(headers: Reply['headers'], own: Partial<OperationCache> = {}) {
  const { get, clock } = startCache({ headers });
  const getOrder = cached({ ttlMs: 10_000, ...own });
  await get(getOrder);
  for (let ms = 0; ms <= 20_000; ms += 1_000) {
    if ((await get(getOrder))[1] === 'miss') return ms;
    clock.advance(1_000);
  }
  return Infinity;
}

const outage = (kind: UpstreamErrorKind, status?: number): Error =>
  callError({ operation: cached() }, kind, 'failed', status === undefined ? {} : { status });

const itemOf = lookup(nowhere, {
  route: 'GET /items',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  cache: { ttlMs: 1_000 },
});

describe('a fresh entry', () => {
  it('answers calls without the service until it expires', async () => {
    const { get, clock, sent } = startCache();
    const getOrder = cached();
    expect(await get(getOrder)).toEqual([1, 'miss']);
    clock.advance(999);
    expect(await get(getOrder)).toEqual([1, 'hit']);
    clock.advance(1);
    expect(await get(getOrder)).toEqual([2, 'miss']);
    expect(sent.length).toBe(2);
  });

  it('answers calls with equal arguments, in any order of fields', async () => {
    const { get } = startCache();
    const getOrder = cached();
    await get(getOrder, { orderId: 'a', filter: { x: 1, y: 2 } });
    expect(await get(getOrder, { filter: { y: 2, x: 1 }, orderId: 'a' })).toEqual([1, 'hit']);
    expect(await get(getOrder, { orderId: 'b' })).toEqual([2, 'miss']);
  });

  it('is fetched once and stored once for a hundred calls at the same time', async () => {
    const { send, sent, store } = startCache();
    let kept = 0;
    const keep = store.set;
    store.set = (...args) => ((kept += 1), keep(...args));
    const getOrder = cached();
    const calls = Array.from({ length: 100 }, () => send(callOf(getOrder, { orderId: 'a' })));
    const replies = await Promise.all(calls);
    expect(new Set(replies.map(({ value }) => value))).toEqual(new Set([1]));
    expect([sent.length, kept]).toEqual([1, 1]);
  });

  it.each([
    ['a call', cached(), { orderId: 'a' }],
    ['a key', itemOf, { id: 'a' }],
  ])('is stored although the first to ask for %s has left', async (_, own, args) => {
    const { get, hold, release, send, sent } = startCache({
      raw: [{ id: 'a' }],
      value: [{ id: 'a' }],
    });
    const first = new AbortController();
    hold();
    const gone = reasonOf(send(callOf(own, args, { signal: first.signal })));
    const stays = [send(callOf(own, args)), send(callOf(own, args))];
    await turn();
    first.abort(new Error('gone'));
    await release();
    expect(await gone).toEqual(new Error('gone'));
    const flags = (await Promise.all(stays)).map(({ deduplicated }) => deduplicated);
    expect(flags).toEqual([true, true]);
    expect((await get(own, args))[1]).toBe('hit');
    expect(sent.length).toBe(1);
  });

  it('does not answer a request that is over', async () => {
    const { get, send } = startCache();
    const getOrder = cached();
    await get(getOrder);
    const signal = AbortSignal.abort(new Error('gone'));
    const late = send(callOf(getOrder, { orderId: 'a' }, { signal }));
    expect(await reasonOf(late)).toEqual(new Error('gone'));
  });

  it('is not waited for by a request that ends while the store is slow', async () => {
    const { send, store, sent } = startCache();
    const slow: CacheStore = { ...store, get: () => new Promise(() => undefined) };
    const options = { store: slow, clock: createFakeClock(), onRefreshError: () => undefined };
    const client = new AbortController();
    const call = callOf(cached(), { orderId: 'a' }, { signal: client.signal });
    const reply = cache(options).call(send)(call);
    await turn();
    client.abort(new Error('gone'));
    expect(await reasonOf(reply)).toEqual(new Error('gone'));
    expect(sent.length).toBe(0);
  });

  it('cannot be changed by one request for the others', async () => {
    const items = Object.freeze([{ id: 2 }, { id: 1 }]);
    const { send } = startCache({ value: { items } });
    const { value } = await send(callOf(cached(), { orderId: 'a' }));
    expect(value).toEqual({ items });
    expect(() => Object.assign(value ?? {}, { items: [] })).toThrow(TypeError);
    // A schema may have frozen a part, and what is in it not.
    expect(() => Object.assign(items[0] ?? {}, { id: 3 })).toThrow(TypeError);
  });

  it('contains values as the schema parsed them', async () => {
    const at = new Date(5);
    const { get } = startCache({ value: at, raw: '1970' });
    const getOrder = cached();
    await get(getOrder);
    expect(await get(getOrder)).toEqual([at, 'hit']);
  });

  it('contains no headers except those that determine its age', async () => {
    const headers = { 'cache-control': 'max-age=60', age: '10', etag: '"1"', 'x-user': 'ada' };
    const { send, clock } = startCache({ headers });
    const call = callOf(cached(), { orderId: 'a' });
    expect((await send(call)).headers).toEqual(headers);
    clock.advance(900);
    expect((await send(call)).headers).toEqual({ 'cache-control': 'max-age=60', age: '10' });
    const { send: sendLong, clock: longClock } = startCache({ headers });
    const long = callOf(cached({ ttlMs: 60_000 }), { orderId: 'a' });
    await sendLong(long);
    longClock.advance(3_500);
    expect((await sendLong(long)).headers['age']).toBe('13');
  });
});

describe('a reply that is not stored', () => {
  const plain = operation(nowhere, { route: 'GET /orders', response: z.unknown() });
  const write = operation(nowhere, { route: 'POST /orders', response: z.unknown() });

  it.each([
    ['an operation without cache', plain],
    ['a write', write],
  ])('passes through unchanged, as does its call, for %s', async (_, own) => {
    const { clock, store } = startCache();
    const reply: Reply = { status: 200, headers: {}, value: 1, raw: 1 };
    const seen: Call[] = [];
    const send = cache({ store, clock, onRefreshError: () => undefined }).call((call) => {
      seen.push(call);
      return Promise.resolve(reply);
    });
    const call = callOf(own);
    expect(await send(call)).toBe(reply);
    expect(await send(call)).toBe(reply);
    expect([seen[0] === call, seen.length, store.entries]).toEqual([true, 2, 0]);
  });

  it.each([
    ['set-cookie', { 'set-cookie': ['a=b'] }],
    ['no-store', { 'cache-control': 'No-Store' }],
    ['private', { 'cache-control': 'max-age=60, private="x-user"' }],
    ['private in a second header', { 'cache-control': ['max-age=60', 'private'] }],
    ['vary: *', { vary: '*' }],
  ])('has %s, whatever the operation says', async (_, headers) => {
    for (const ignoreMaxAge of [true, false]) {
      const { get, store } = startCache({ headers });
      const getOrder = cached({ ...everything, ignoreMaxAge });
      await get(getOrder);
      expect(store.entries).toBe(0);
      expect(await get(getOrder)).toEqual([2, 'miss']);
    }
  });

  it('removes an older entry when it must not be stored', async () => {
    const { get, clock, store } = startCache({}, { headers: { 'cache-control': 'no-store' } });
    const getOrder = cached({ staleIfErrorMs: 10_000 });
    await get(getOrder);
    clock.advance(1_000);
    expect(await get(getOrder)).toEqual([2, 'miss']);
    expect(store.entries).toBe(0);
  });
});

describe('Cache-Control of the service', () => {
  it.each([
    ['max-age=5', 5_000],
    ['max-age=60', 10_000],
    ['max-age=60, s-maxage=5', 5_000],
    ['max-age=5, s-maxage=60', 10_000],
    ['max-age=0', 0],
    ['no-cache', 0],
    ['no-cache, max-age=5', 0],
    ['max-age=nonsense', 0],
    ['public', 10_000],
  ])('%s: fresh for %i ms of 10,000', async (control, freshForMs) => {
    expect(await freshFor({ 'cache-control': control })).toBe(freshForMs);
  });

  it.each([
    [{ 'cache-control': 'max-age=5', age: '2' }, 3_000],
    [{ 'cache-control': 'max-age=5', age: '9' }, 0],
    [{ 'cache-control': 'max-age=60', age: '1' }, 10_000],
    [{ age: '100' }, 10_000],
    [{ date: 'Thu, 01 Jan 1970 00:00:00 GMT', expires: 'Thu, 01 Jan 1970 00:00:04 GMT' }, 4_000],
    [{ expires: '0' }, 0],
    [{ expires: '0', 'cache-control': 'max-age=5' }, 5_000],
  ])('%j: fresh for %i ms of 10,000', async (headers, freshForMs) => {
    expect(await freshFor(headers)).toBe(freshForMs);
  });

  it.each(['max-age=1', 'no-cache', 's-maxage=0', 'must-revalidate, max-age=0'])(
    '%s is ignored with ignoreMaxAge',
    async (control) => {
      expect(await freshFor({ 'cache-control': control }, { ignoreMaxAge: true })).toBe(10_000);
    },
  );

  it.each(['no-cache', 'max-age=1, must-revalidate', 'max-age=1, proxy-revalidate'])(
    '%s forbids serving stale',
    async (control) => {
      const { get, clock } = startCache(
        { headers: { 'cache-control': control } },
        { fail: outage('connect') },
      );
      const getOrder = cached(everything);
      await get(getOrder);
      clock.advance(1_500);
      expect((await failureOf(get(getOrder))).kind).toBe('connect');
    },
  );
});

describe('an entry that is served stale while it is refreshed', () => {
  const getOrder = cached({ staleWhileRevalidateMs: 2_000 });

  it('answers at once; later calls get the new one', async () => {
    const { get, clock, hold, release, sent } = startCache();
    await get(getOrder);
    clock.advance(1_000);
    hold();
    expect(await get(getOrder)).toEqual([1, 'stale']);
    expect(await get(getOrder)).toEqual([1, 'stale']);
    await release();
    expect(await get(getOrder)).toEqual([2, 'hit']);
    expect(sent.length).toBe(2);
  });

  it('is refreshed once for a hundred calls, coalesced or not', async () => {
    for (const shared of [true, false]) {
      const { send, clock, hold, release, sent } = startCache();
      const own: Operation = { ...getOrder, coalesce: shared };
      await send(callOf(own, { orderId: 'a' }));
      clock.advance(1_000);
      hold();
      const calls = Array.from({ length: 100 }, () => send(callOf(own, { orderId: 'a' })));
      expect(new Set((await Promise.all(calls)).map((reply) => reply.cache))).toEqual(
        new Set(['stale']),
      );
      await release();
      expect(sent.length).toBe(2);
    }
  });

  it('is not served after staleWhileRevalidateMs', async () => {
    const { get, clock } = startCache();
    await get(getOrder);
    clock.advance(2_999);
    expect(await get(getOrder)).toEqual([1, 'stale']);
    clock.advance(3_000);
    expect(await get(getOrder)).toEqual([3, 'miss']);
  });

  it('is refreshed although the client that was first has disconnected', async () => {
    const { get, send, clock, hold, release, sent } = startCache();
    await get(getOrder);
    clock.advance(1_000);
    hold();
    const client = new AbortController();
    await send(callOf(getOrder, { orderId: 'a' }, { signal: client.signal, deadlineAt: 1_001 }));
    client.abort(new Error('gone'));
    await turn();
    expect(sent[1]?.signal.aborted).toBe(false);
    expect(sent[1]?.deadlineAt).toBe(1_000 + getOrder.policies.timeoutMs);
    await release();
    expect(await get(getOrder)).toEqual([2, 'hit']);
  });

  it('is not refreshed for longer than timeoutMs, and again after that', async () => {
    const own = operation(nowhere, {
      route: 'GET /slow',
      response: z.unknown(),
      timeoutMs: 300,
      cache: { ttlMs: 1_000, staleWhileRevalidateMs: 60_000 },
    });
    const { get, clock, hold, release, refreshErrors, sent } = startCache();
    await get(own, {});
    clock.advance(1_000);
    hold();
    await get(own, {});
    clock.advance(299);
    await turn();
    expect([refreshErrors.length, clock.pending]).toEqual([0, 1]);
    clock.advance(1);
    await turn();
    expect(refreshErrors).toMatchObject([{ kind: 'timeout' }]);
    expect([sent[1]?.signal.aborted, clock.pending]).toEqual([true, 0]);
    await release();
    expect(await get(own, {})).toEqual([1, 'stale']);
    expect(await get(own, {})).toEqual([3, 'hit']);
  });

  it('remains when its refresh fails, which is reported and not repeated at once', async () => {
    const { get, clock, refreshErrors, sent } = startCache({}, { fail: outage('connect') });
    await get(getOrder);
    clock.advance(1_000);
    expect(await get(getOrder)).toEqual([1, 'stale']);
    expect(await get(getOrder)).toEqual([1, 'stale']);
    expect(refreshErrors).toEqual([outage('connect')]);
    expect(sent.length).toBe(2);
  });

  it('is refreshed again as soon as the new one is stale', async () => {
    const own = cached({ ttlMs: 1, staleWhileRevalidateMs: 2_000 });
    const { get, clock } = startCache();
    await get(own);
    for (const value of [1, 2, 3]) {
      clock.advance(1);
      expect(await get(own)).toEqual([value, 'stale']);
    }
  });

  it.each([404, 410, 403, 401])(
    'is removed when its refresh is answered with %i',
    async (status) => {
      const { get, clock, store } = startCache({}, { fail: outage('status', status) });
      await get(getOrder);
      clock.advance(1_000);
      expect(await get(getOrder)).toEqual([1, 'stale']);
      expect(store.entries).toBe(0);
      expect(await get(getOrder)).toEqual([3, 'miss']);
    },
  );
});

describe('an entry that is served stale if a call fails', () => {
  const getOrder = cached({ staleIfErrorMs: 4_000 });

  it.each([
    ['connect', undefined],
    ['reset', undefined],
    ['timeout', undefined],
    ['overloaded', undefined],
    ['invalid-body', undefined],
    ['too-large', undefined],
    ['status', 500],
    ['status', 503],
    ['status', 302],
  ] as const)('is served after the failure %s %s', async (kind, status) => {
    const { get, clock } = startCache({}, { fail: outage(kind, status) });
    await get(getOrder);
    clock.advance(4_999);
    expect(await get(getOrder)).toEqual([1, 'stale']);
  });

  it.each([
    ['status', 400],
    ['status', 401],
    ['status', 404],
    ['status', 429],
    ['invalid-argument', undefined],
    ['aborted', undefined],
    ['missing', undefined],
  ] as const)('is not served after the failure %s %s', async (kind, status) => {
    const { get, clock } = startCache({}, { fail: outage(kind, status) });
    await get(getOrder);
    clock.advance(1_000);
    expect(await failureOf(get(getOrder))).toMatchObject({ kind, status });
  });

  it('is not served, and removed, when the client is refused the token to ask with', async () => {
    const rejectedCredentials = { challenges: 'Bearer' };
    const refused = callError({ operation: getOrder }, 'credentials', 'no token', {
      rejectedCredentials,
    });
    const { get, clock, store } = startCache({}, { fail: refused });
    await get(getOrder);
    clock.advance(1_000);
    expect(await failureOf(get(getOrder))).toMatchObject({ kind: 'credentials' });
    expect(store.entries).toBe(0);
  });

  it.each([429, 408])(
    'remains when the service answers %i, which asks for patience',
    async (status) => {
      const { get, clock } = startCache(
        {},
        { fail: outage('status', status) },
        { fail: outage('connect') },
      );
      await get(getOrder);
      clock.advance(1_000);
      await failureOf(get(getOrder));
      expect(await get(getOrder)).toEqual([1, 'stale']);
    },
  );

  it('is not served after an internal error', async () => {
    const { get, clock } = startCache({}, { fail: new TypeError('ours') });
    await get(getOrder);
    clock.advance(1_000);
    expect(await reasonOf(get(getOrder))).toEqual(new TypeError('ours'));
  });

  it('is not served after staleIfErrorMs', async () => {
    const { get, clock } = startCache({}, { fail: outage('connect') });
    await get(getOrder);
    clock.advance(5_000);
    expect((await failureOf(get(getOrder))).kind).toBe('connect');
  });

  it('is not served to a request that is over', async () => {
    const { get, send, clock, hold } = startCache();
    await get(getOrder);
    clock.advance(1_000);
    hold();
    const client = new AbortController();
    const call = send(callOf(getOrder, { orderId: 'a' }, { signal: client.signal }));
    await turn();
    client.abort(outage('timeout'));
    expect((await failureOf(call)).kind).toBe('timeout');
  });

  it('is not served while the service answers', async () => {
    const { get, clock } = startCache();
    await get(getOrder);
    clock.advance(1_000);
    expect(await get(getOrder)).toEqual([2, 'miss']);
  });
});

describe('negative caching', () => {
  const negatives = [
    ['a 404', 'status', 404],
    ['a 410', 'status', 410],
  ] as const;

  const item = z.object({ id: z.string() });

  it.each(negatives)('stores %s, and fails with the same failure', async (_, kind, status) => {
    const { get, clock, sent } = startCache({ fail: outage(kind, status) });
    const getOrder = cached(everything);
    const first = await failureOf(get(getOrder));
    clock.advance(499);
    const second = await failureOf(get(getOrder));
    expect(second).toMatchObject({ kind, status, service: 'shop', operation: 'getOrder' });
    expect([first.kind, sent.length]).toEqual([kind, 1]);
    clock.advance(1);
    expect(await get(getOrder)).toEqual([2, 'miss']);
  });

  it.each(negatives)('does not store %s by default', async (_, kind, status) => {
    const { get } = startCache({ fail: outage(kind, status) });
    const getOrder = cached();
    await failureOf(get(getOrder));
    expect(await get(getOrder)).toEqual([2, 'miss']);
  });

  it.each([400, 401, 403, 429, 500, 503])('does not store a %i', async (status) => {
    const { get, store } = startCache({ fail: outage('status', status) });
    const getOrder = cached(everything);
    await failureOf(get(getOrder));
    expect(store.entries).toBe(0);
    expect(await get(getOrder)).toEqual([2, 'miss']);
  });

  it.each([
    [{}, 1],
    [{ 'cache-control': 'max-age=60' }, 1],
    [{ age: '59', 'cache-control': 'max-age=60' }, 1],
    [{ age: '60', 'cache-control': 'max-age=60' }, 2],
    [{ expires: '0' }, 2],
    [{ expires: 'Thu, 01 Jan 1970 00:00:00 GMT' }, 2],
    [{ expires: 'Thu, 01 Jan 2099 00:00:00 GMT' }, 1],
    [{ 'cache-control': 'private' }, 2],
    [{ 'set-cookie': 'id=1' }, 2],
    [{ vary: '*' }, 2],
    [{ vary: 'accept' }, 1],
  ])('goes by all headers of a failure, as %j', async (headers, times) => {
    const { url, requests } = await startServer((_, response) => {
      response.writeHead(404, headers).end();
    });
    const { service, open } = openShop({ url });
    const rules = { ttlMs: 1_000, negativeTtlMs: 10_000 };
    const getOrder = operation(service, { route: 'GET /orders', response: item, cache: rules });
    const paymentFor = lookup(service, {
      route: 'GET /items',
      keys: { query: 'ids' },
      by: 'id',
      item,
      missing: 'error',
      cache: rules,
    });
    for (const ask of [
      () => open()(getOrder, {}, undefined),
      () => open()(paymentFor, { id: 'a' }, undefined),
    ]) {
      const before = requests.length;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (let at = 0; at < 2; at += 1) await failureOf(ask());
      expect(requests.length - before).toBe(times);
    }
  });

  const paymentOf = (own: Partial<OperationCache>, many = false) =>
    lookup(nowhere, {
      route: 'GET /payments',
      keys: { query: 'ids' },
      by: 'id',
      item,
      many,
      cache: { ttlMs: 1_000, ...own },
    });
  const none = { raw: [], value: [] };
  const some = { raw: [{ id: 'a' }], value: [{ id: 'a' }] };

  it('stores that a lookup has no item', async () => {
    const { get, clock } = startCache(none, some);
    const own = paymentOf({ negativeTtlMs: 500 });
    expect(await get(own, { id: 'a' })).toEqual([null, 'miss']);
    clock.advance(499);
    expect(await get(own, { id: 'a' })).toEqual([null, 'hit']);
    clock.advance(1);
    expect(await get(own, { id: 'a' })).toEqual([{ id: 'a' }, 'miss']);
  });

  it('stores that a lookup misses an item, and fails with the same failure', async () => {
    const { get, clock, sent } = startCache(none, some);
    const own = lookup(nowhere, {
      route: 'GET /payments',
      keys: { query: 'ids' },
      by: 'id',
      item,
      missing: 'error',
      cache: { ttlMs: 1_000, negativeTtlMs: 500 },
    });
    const first = await failureOf(get(own, { id: 'a' }));
    clock.advance(499);
    const second = await failureOf(get(own, { id: 'a' }));
    expect([first.kind, second.kind, sent.length]).toEqual(['missing', 'missing', 1]);
    clock.advance(1);
    expect(await get(own, { id: 'a' })).toEqual([{ id: 'a' }, 'miss']);
  });

  it('does not store that a lookup has no item by default', async () => {
    const { get } = startCache(none, some);
    const own = paymentOf({ staleIfErrorMs: 9_000 });
    expect(await get(own, { id: 'a' })).toEqual([null, 'miss']);
    expect(await get(own, { id: 'a' })).toEqual([{ id: 'a' }, 'miss']);
  });

  it('does not store an empty list as missing', async () => {
    const { get } = startCache(none);
    const own = paymentOf({}, true);
    expect(await get(own, { id: 'a' })).toEqual([[], 'miss']);
    expect(await get(own, { id: 'a' })).toEqual([[], 'hit']);
  });
});

describe('the cache of a lookup', () => {
  it('stores key by key, and sends only the keys that are not stored', async () => {
    const { url, requests } = await startServer((request, response) => {
      const ids = new URL(request.url ?? '', 'http://shop').searchParams.get('ids') ?? '';
      response.end(JSON.stringify(ids.split(',').map((id) => ({ id }))));
    });
    const { service, open } = openShop({ url });
    const own = lookup(service, {
      route: 'GET /payments',
      keys: { query: 'ids' },
      by: 'id',
      item: z.object({ id: z.string() }),
      cache: { ttlMs: 60_000 },
    });
    const askFor = (ids: readonly string[]) => {
      const call = open();
      return Promise.all(ids.map((id) => call(own, { id }, undefined)));
    };
    await askFor(['a', 'b']);
    const replies = await askFor(['b', 'c', 'a']);
    expect(replies.map(({ value, cache: from }) => [value, from])).toEqual([
      [{ id: 'b' }, 'hit'],
      [{ id: 'c' }, 'miss'],
      [{ id: 'a' }, 'hit'],
    ]);
    expect(requests.map(({ target }) => target)).toEqual(['/payments?ids=a,b', '/payments?ids=c']);
  });

  it('sends nothing for a request that ends while the store is slow', async () => {
    const { send, sent, store } = startCache();
    const reached = Promise.withResolvers<void>();
    const slow: CacheStore = {
      ...store,
      get: (...args) => reached.promise.then(() => store.get(...args)),
    };
    const client = new AbortController();
    const own = lookup(nowhere, {
      route: 'GET /payments',
      keys: { query: 'ids' },
      by: 'id',
      item: z.object({ id: z.string() }),
      cache: { ttlMs: 1_000 },
    });
    const options = { store: slow, clock: createFakeClock(), onRefreshError: () => undefined };
    const sendKey = oneByOne(cache(options).load(callPerKey(send)));
    const reply = sendKey(callOf(own, { id: 'a' }, { signal: client.signal }));
    client.abort(new Error('gone'));
    expect(await reasonOf(reply)).toEqual(new Error('gone'));
    reached.resolve();
    await turn();
    expect(sent).toEqual([]);
  });
});

describe('invalidation', () => {
  const getOrder = cached({ tags: ['orders', 'shop'] });
  const other = operation(nowhere, {
    route: 'GET /returns/:orderId',
    response: z.unknown(),
    cache: { ttlMs: 1_000, tags: ['returns', 'shop'] },
  });

  it('removes entries with the tag, and no others', async () => {
    const { get, store } = startCache();
    await get(getOrder);
    await get(other);
    expect(await store.invalidate(['orders'])).toBe(1);
    expect(await get(getOrder)).toEqual([3, 'miss']);
    expect(await get(other)).toEqual([2, 'hit']);
    await store.invalidate(['shop']);
    expect(await get(getOrder)).toEqual([4, 'miss']);
    expect(await get(other)).toEqual([5, 'miss']);
    expect(await store.invalidate(['unheard-of'])).toBe(0);
  });

  it('also removes answers that are under way, which later calls do not join', async () => {
    const { get, send, store, hold, release } = startCache();
    hold();
    const early = send(callOf(getOrder, { orderId: 'a' }));
    await turn();
    await store.invalidate(['orders']);
    const late = send(callOf(getOrder, { orderId: 'a' }));
    await turn();
    await release();
    expect([(await early).value, (await late).value]).toEqual([1, 2]);
    expect(await get(getOrder)).toEqual([2, 'hit']);
  });

  it('is available through the upstreams, which close the store', async () => {
    const { url, requests } = await startServer();
    let closed = 0;
    const store = createMemoryStore({ clock: createFakeClock() });
    store.close = async () => void (closed += 1);
    const { service, upstreams, open } = openShop({ url, cacheStore: store });
    const own = operation(service, {
      route: 'GET /',
      response: z.null(),
      cache: { ttlMs: 60_000, tags: ['all'] },
    });
    await open()(own, {}, undefined);
    await open()(own, {}, undefined);
    expect(requests.length).toBe(1);
    expect(await upstreams.invalidate(['all'])).toBe(1);
    await open()(own, {}, undefined);
    expect(requests.length).toBe(2);
    await upstreams.close();
    expect(closed).toBe(1);
  });
});

describe('a wall clock that is set back', () => {
  it('makes entries from the future expire', async () => {
    const { get, clock } = startCache();
    const getOrder = cached();
    await get(getOrder);
    const { epoch } = clock;
    clock.epoch = () => epoch() - 60 * 60_000;
    expect(await get(getOrder)).toEqual([2, 'miss']);
  });

  it('keeps entries within the clock skew between machines', async () => {
    const { get, clock } = startCache();
    const getOrder = cached();
    await get(getOrder);
    const { epoch } = clock;
    clock.epoch = () => epoch() - 500;
    expect(await get(getOrder)).toEqual([1, 'hit']);
  });
});

describe('two identities', () => {
  it("never get each other's entries", async () => {
    const identity = fc.constantFrom(undefined, '', 'Bearer a', 'Bearer b', 'bearer a', '{}');
    const step = fc.record({
      authorization: identity,
      orderId: fc.constantFrom('a', 'b', 'Bearer a', ''),
      waitMs: fc.constantFrom(0, 0, 400, 1_500),
      fails: fc.boolean(),
    });
    await assertProperty(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const clock = createFakeClock();
        const store = createMemoryStore({ clock });
        let failing = false;
        const service: Send<Dispatch> = async ({ headers, args, operation: own }) => {
          if (failing) throw callError({ operation: own }, 'connect', 'down');
          const value = [headers['authorization'], args['orderId']];
          return { status: 200, headers: {}, value, raw: value };
        };
        const send = cache({ store, clock, onRefreshError: () => undefined }).call(
          coalesce(createFakeClock())(service),
        );
        const getOrder = cached(everything);
        for (const { authorization, orderId, waitMs, fails } of steps) {
          clock.advance(waitMs);
          failing = fails;
          const headers = authorization === undefined ? {} : { authorization };
          const outcome = await send(callOf(getOrder, { orderId }, { headers })).catch(
            (error: unknown) => error,
          );
          const expected = { value: [authorization, orderId] };
          const isFailure = outcome instanceof UpstreamError;
          expect(outcome).toMatchObject(isFailure ? { kind: 'connect' } : expected);
        }
      }),
      { full: 300 },
    );
  });
});
