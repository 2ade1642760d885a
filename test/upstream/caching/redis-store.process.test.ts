import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../src/clock.ts';
import type { Clock } from '../../../src/clock.ts';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import { cache } from '../../../src/upstream/caching/cache.ts';
import type { Entry } from '../../../src/upstream/caching/cache-entry.ts';
import { openCacheStore } from '../../../src/upstream/caching/open-cache-store.ts';
import type { CacheStore } from '../../../src/upstream/caching/cache-store.ts';
import type { Call, Send } from '../../../src/upstream/call.ts';
import { createMemoryStore } from '../../../src/upstream/caching/memory-store.ts';
import { redisName } from '../../../src/upstream/caching/redis-store.ts';
import { isRedisSkipped, patient, startRedis } from '../../support/redis.ts';
import type { TestRedis } from '../../support/redis.ts';
import { parseSettings } from '../../../src/settings/settings.ts';
import { callOf, callPerKey, nowhere, oneByOne, reasonOf } from '../../support/upstream-calls.ts';

/** The limit for one call to the store. 60 ms is intended, but machines that run tests are busy. */
const mostAddedMs = 500;

function entryOf(raw: unknown, own: Partial<Entry> = {}): Entry {
  const times = { freshForMs: 60_000, refreshForMs: 0, fallbackForMs: 0 };
  const outcome = { kind: 'reply', status: 200, headers: { age: '1' }, raw } as const;
  return { storedAt: systemClock.epoch(), ...times, outcome, ...own };
}

/** An entry as it is stored, in which every field can be replaced. */
const storedEntry = (own: object = {}, outcome: object = {}) => ({
  name: redisName('entry', 'a'),
  versions: [],
  entry: {
    storedAt: systemClock.epoch(),
    freshForMs: 1_000,
    refreshForMs: 0,
    fallbackForMs: 0,
    outcome: { kind: 'reply', status: 200, headers: {}, raw: 'a', ...outcome },
    ...own,
  },
});

const keep = { versions: [], keepMs: 60_000 };

async function openStore(url: string) {
  const warnings: string[] = [];
  const pending = new Set<() => void>();
  const clock: Clock = {
    ...systemClock,
    after(delayMs, task) {
      const cancel = systemClock.after(delayMs, () => (pending.delete(end), task()));
      const end = (): void => (pending.delete(end), cancel());
      pending.add(end);
      return end;
    },
  };
  const store = await openCacheStore({
    redis: parseSettings({ REDIS_URL: url }, []).redis,
    clock,
    onWarning: (message) => warnings.push(message),
  });
  onTestFinished(() => store.close());
  return { store, warnings, pending };
}

async function startStore() {
  const redis = await startRedis();
  return { redis, ...(await openStore(redis.url)) };
}

/** How long a call to the store took. */
async function timed(work: () => unknown): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

const kinds: [string, () => Promise<CacheStore>][] = [
  ['memory', async () => createMemoryStore({ clock: systemClock })],
];
if (!isRedisSkipped) kinds.push(['Redis', async () => (await startStore()).store]);

describe.each(kinds)('a store in %s', patient, (_, create) => {
  it('returns the entries that it was given', async () => {
    const store = await create();
    const raw = { text: 'ü\u2028"', list: [1, null, { deep: true }], zero: 0 };
    const entries = [
      entryOf(raw),
      entryOf(null),
      entryOf(1, { outcome: { kind: 'status', status: 404 } }),
      entryOf(1, { outcome: { kind: 'missing' }, refreshForMs: 5, fallbackForMs: 6 }),
    ];
    for (const [index, entry] of entries.entries()) await store.set(`key ${index}`, entry, keep);
    const found = await Promise.all(entries.map((__, index) => store.get(`key ${index}`, [])));
    expect(found).toEqual(entries.map((entry) => ({ entry, versions: [] })));
    expect(await store.get('key 4', [])).toEqual({ entry: undefined, versions: [] });
  });

  it('has no entry from before one that is too large for it', async () => {
    const store = await create();
    await store.set('a', entryOf('before'), keep);
    const large = entryOf('x'.repeat(128 * 1_024));
    await store.set('a', large, keep);
    expect([undefined, large]).toContainEqual((await store.get('a', [])).entry);
  });

  it('tells long keys apart', async () => {
    const store = await create();
    const key = 'x'.repeat(10_000);
    await store.set(`${key}a`, entryOf('a'), keep);
    expect((await store.get(`${key}a`, [])).entry).toMatchObject({ outcome: { raw: 'a' } });
    expect((await store.get(`${key}b`, [])).entry).toBeUndefined();
  });

  it('removes entries when they expire and when they are deleted', async () => {
    const store = await create();
    await store.set('short', entryOf(1), { versions: [], keepMs: 30.5 });
    await store.set('long', entryOf(1), keep);
    expect((await store.get('short', [])).entry).toBeDefined();
    await sleep(60);
    expect((await store.get('short', [])).entry).toBeUndefined();
    await store.delete('long');
    expect((await store.get('long', [])).entry).toBeUndefined();
  });

  it('invalidates by tag, including answers that are under way', async () => {
    const store = await create();
    const before = await store.get('a', ['orders', 'shop']);
    const other = await store.get('b', ['returns', 'shop']);
    await store.set('a', entryOf('a'), { ...keep, versions: before.versions });
    await store.set('b', entryOf('b'), { ...keep, versions: other.versions });
    expect(await store.invalidate(['orders', 'unheard-of'])).toBe(1);
    expect(await store.invalidate([])).toBe(0);
    const after = await store.get('a', ['orders', 'shop']);
    expect(after.entry).toBeUndefined();
    expect((await store.get('b', ['returns', 'shop'])).entry).toBeDefined();
    await store.set('a', entryOf('late'), { ...keep, versions: before.versions });
    expect((await store.get('a', ['orders', 'shop'])).entry).toBeUndefined();
    await store.set('a', entryOf('new'), { ...keep, versions: after.versions });
    expect((await store.get('a', ['orders', 'shop'])).entry).toBeDefined();
    expect(await store.invalidate(['shop', 'returns'])).toBe(2);
    expect((await store.get('b', ['returns', 'shop'])).entry).toBeUndefined();
  });

  it('gives a claim to one caller, until it expires', async () => {
    const store = await create();
    const claims = await Promise.all([1, 2, 3].map(() => store.claim('a', 40)));
    expect(claims.filter(Boolean).length).toBe(1);
    expect(await store.claim('b', 40)).toBe(true);
    await sleep(60);
    expect(await store.claim('a', 40)).toBe(true);
  });

  it('works under the cache: values are parsed, and fetched if they do not fit', async () => {
    const store = await create();
    const asked: Call[] = [];
    const service: Send = async (call) => {
      asked.push(call);
      const raw = call.operation.lookup ? [{ at: '1970-01-01' }] : { at: '1970-01-01' };
      return { status: 200, headers: {}, raw, value: 'what the service gave' };
    };
    const caching = cache({ store, clock: systemClock, onRefreshError: () => undefined });
    const sendCall = caching.call(service);
    const sendKey = oneByOne(caching.load(callPerKey(service)));
    const send: Send = (call) =>
      call.operation.lookup === undefined ? sendCall(call) : sendKey(call);
    const Item = z.object({ at: z.string().transform((text) => new Date(text)) });
    const own = { cache: { ttlMs: 60_000, tags: ['all'] } };
    const one = operation(nowhere, { name: 'one', route: 'GET /a', response: Item, ...own });
    const changed = operation(nowhere, {
      name: 'one',
      route: 'GET /a',
      response: z.number(),
      ...own,
    });
    const many = lookup(nowhere, {
      name: 'many',
      route: 'GET /b',
      keys: { query: 'ats' },
      by: 'at',
      many: true,
      item: Item,
      ...own,
    });
    const get = async (operationAsked: Operation) => {
      const { cache: from } = await send(callOf(operationAsked, { at: 'x' }));
      return from;
    };
    for (const each of [one, many]) {
      expect(await get(each)).toBe('miss');
      await vi.waitFor(async () => expect(await get(each)).toBe('hit'));
    }
    expect(asked.length).toBe(2);
    const isShared = !('entries' in store);
    expect(await get(changed)).toBe(isShared ? 'miss' : 'hit');
  });
});

describe.skipIf(isRedisSkipped)('Redis', patient, () => {
  it('shares entries, claims and invalidation between two processes', async () => {
    const { redis, store } = await startStore();
    const { store: other } = await openStore(redis.url);
    const { versions } = await store.get('a', ['orders']);
    await store.set('a', entryOf('a'), { ...keep, versions });
    expect((await other.get('a', ['orders'])).entry).toMatchObject({ outcome: { raw: 'a' } });
    expect([await store.claim('a', 5_000), await other.claim('a', 5_000)]).toEqual([true, false]);
    await other.invalidate(['orders']);
    expect((await store.get('a', ['orders'])).entry).toBeUndefined();
  });

  it('gives a value as the schema of this process parsed it', async () => {
    const { redis, store } = await startStore();
    const { store: other } = await openStore(redis.url);
    const response = z.object({ at: z.string().transform((text) => new Date(text)) });
    const own = operation(nowhere, { route: 'GET /a', response, cache: { ttlMs: 60_000 } });
    const raw = { at: '1970-01-01', secret: 'not in the schema' };
    const open = (each: CacheStore) =>
      cache({ store: each, clock: systemClock, onRefreshError: () => undefined }).call(
        async () => ({ status: 200, headers: {}, raw, value: response.parse(raw) }),
      );
    await open(store)(callOf(own));
    await vi.waitFor(async () => {
      const reply = await open(other)(callOf(own));
      expect([reply.cache, reply.value]).toEqual(['hit', { at: new Date(0) }]);
      expect(reply.value).not.toHaveProperty('secret');
    });
  });

  it('lets one of two processes refresh a stale entry for both', async () => {
    const { redis, store } = await startStore();
    const { store: other } = await openStore(redis.url);
    const own = operation(nowhere, {
      route: 'GET /a',
      response: z.number(),
      cache: { ttlMs: 60_000, staleWhileRevalidateMs: 60_000 },
    });
    let laterMs = 0;
    const clock = { ...systemClock, epoch: () => systemClock.epoch() + laterMs };
    let asked = 0;
    const [here, there] = [store, other].map((each) =>
      cache({ store: each, clock, onRefreshError: () => undefined }).call(
        async () => ((asked += 1), { status: 200, headers: {}, raw: asked, value: asked }),
      ),
    );
    const get = async (send: Send | undefined) => (await send?.(callOf(own)))?.value;
    await get(here);
    laterMs = 61_000;
    expect(await Promise.all([here, there, here, there].map(get))).toEqual([1, 1, 1, 1]);
    await vi.waitFor(async () => expect(await get(there)).toBe(2));
    expect(asked).toBe(2);
  });

  it('contains nothing that never expires, and all of it under one prefix', async () => {
    const { redis, store } = await startStore();
    const { versions } = await store.get('a', ['orders']);
    await store.set('a', entryOf('a'), { ...keep, versions });
    await store.set('x'.repeat(1_000), entryOf('a'), keep);
    await store.claim('a', 5_000);
    const names = (await redis.ask('KEYS *')).match(/plait:4:.*/g) ?? [];
    expect(names.length).toBe(5);
    expect(Number((await redis.ask('DBSIZE')).slice(1))).toBe(5);
    expect(Math.max(...names.map(({ length }) => length))).toBeLessThan(100);
    for (const name of names) expect(await redis.ask(`TTL ${name}`)).toMatch(/^:[1-9]/);
    await store.invalidate(['orders', 'unheard-of']);
    expect(Number((await redis.ask('DBSIZE')).slice(1))).toBeLessThan(5);
  });

  it.each<[string, string | object]>([
    ['something that is not JSON', 'nonsense'],
    ['something else', { ...storedEntry(), entry: {} }],
    ['the entry of another call', { ...storedEntry(), name: redisName('entry', 'b') }],
    ['no name', { ...storedEntry(), name: undefined }],
    ['more text than is stored', storedEntry({}, { raw: 'x'.repeat(128 * 1_024) })],
    ['nesting without end', '[[['.repeat(1_000)],
    ['more fields', { ...storedEntry(), more: 1 }],
    ['more fields within', storedEntry({ more: 1 })],
    ['a status that cannot be', storedEntry({}, { status: 999 })],
    ['the status of a failure', storedEntry({}, { status: 500 })],
    ['a status that is not one', storedEntry({}, { status: 200.5 })],
    [
      'a remembered failure that is never remembered',
      storedEntry({ outcome: { kind: 'status', status: 500 } }),
    ],
    ['another kind', storedEntry({}, { kind: 'other' })],
    ['a header that is not stored', storedEntry({}, { headers: { 'set-cookie': 'a=b' } })],
    ['a header that is not text', storedEntry({}, { headers: { age: 1 } })],
    ['times that are not numbers', storedEntry({ freshForMs: '1000' })],
    ['negative times', storedEntry({ freshForMs: -1 })],
    [
      'times that are no exact numbers',
      JSON.stringify(storedEntry()).replace('1000', '9007199254740993'),
    ],
    ['times before 1970', storedEntry({ storedAt: -1 })],
    ['times without end', JSON.stringify(storedEntry({ freshForMs: 0 })).replace(':0,', ':1e400,')],
    ['versions that are not texts', { ...storedEntry(), versions: [1] }],
    ['a value that only this process can have', storedEntry({}, { parsed: { value: 'b' } })],
  ])('ignores an entry with %s', async (_, stored) => {
    const { redis, store, warnings } = await startStore();
    const text = typeof stored === 'string' ? stored : JSON.stringify(stored);
    await redis.ask(`SET ${redisName('entry', 'a')} ${JSON.stringify(text)}`);
    expect((await store.get('a', [])).entry).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('takes the same entry without these', async () => {
    const { redis, store } = await startStore();
    await redis.ask(
      `SET ${redisName('entry', 'a')} ${JSON.stringify(JSON.stringify(storedEntry()))}`,
    );
    expect((await store.get('a', [])).entry?.outcome).toMatchObject({ raw: 'a' });
  });

  it.each<[string, object]>([
    ['without a body', { raw: undefined }],
    ['that is a 404 to a lookup', { status: 404, raw: null }],
  ])('keeps an answer %s', async (_, own) => {
    const { store } = await startStore();
    const outcome = { kind: 'reply', status: 200, headers: {}, raw: 'a', ...own } as const;
    await store.set('a', entryOf('a', { outcome }), keep);
    expect((await store.get('a', [])).entry?.outcome).toEqual(outcome);
  });

  it('ignores text that is not UTF-8, and what is no text at all', async () => {
    const { redis, store, warnings } = await startStore();
    // Redis takes `\xff` in quotes for a byte.
    const text = JSON.stringify(JSON.stringify(storedEntry({}, { raw: 'BYTE' })));
    const set = await redis.ask(
      `SET ${redisName('entry', 'a')} ${text.replace('BYTE', String.raw`\xff`)}`,
    );
    expect(set).toContain('OK');
    await redis.ask(`LPUSH ${redisName('entry', 'b')} 1`);
    expect((await store.get('a', [])).entry).toBeUndefined();
    expect((await store.get('b', [])).entry).toBeUndefined();
    expect((await store.get('b', ['orders'])).entry).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('keeps every digit of a number', async () => {
    const { store } = await startStore();
    const raw = { id: 12345678901234567890n, list: [9007199254740993n, 7] };
    await store.set('a', entryOf(raw), keep);
    expect((await store.get('a', [])).entry?.outcome).toMatchObject({ raw });
  });

  const troubles: [string, (redis: TestRedis) => unknown][] = [
    ['killed', (redis) => redis.kill()],
    ['frozen', (redis) => redis.freeze()],
  ];

  it.each(troubles)(
    'answers every call soon under load while Redis is %s',
    async (name, trouble) => {
      const { redis, store, warnings } = await startStore();
      const took: number[] = [];
      const ended = new AbortController();
      const load = Array.from({ length: 20 }, async (_, worker) => {
        for (let round = 0; !ended.signal.aborted; round += 1) {
          const key = `${worker} ${round % 5}`;
          took.push(await timed(() => store.get(key, ['orders'])));
          took.push(await timed(() => store.set(key, entryOf(round), keep)));
          await sleep(1);
        }
      });
      await sleep(300);
      const quiet = took.splice(0);
      await trouble(redis);
      await sleep(3_500);
      const troubled = took.splice(0);
      if (name === 'frozen') redis.thaw();
      else await redis.restart();
      await isBack(redis, store);
      ended.abort();
      await Promise.all(load);
      const slow = troubled.filter((ms) => ms > 20);
      process.stdout.write(
        `Redis ${name}: at most ${longest(quiet)} before, ${longest(troubled)} while it was; ` +
          `${slow.length} of ${troubled.length} calls over 20 ms\n`,
      );
      expect(Math.max(...troubled)).toBeLessThan(mostAddedMs);
      // Those that were under way, and none of the thousands after them.
      expect(slow.length).toBeLessThanOrEqual(60);
      expect(warnings.length).toBe(1);
      expect(warnings[0]).toMatch(
        /^Redis cannot be used \(.+\): answers are cached in this process/,
      );
    },
  );

  it('contains no entries from before it came back, neither in Redis nor in memory', async () => {
    const { redis, store } = await startStore();
    await store.set('a', entryOf('in Redis'), keep);
    await redis.kill();
    await vi.waitFor(async () => expect((await store.get('a', [])).entry).toBeUndefined());
    await store.set('b', entryOf('here'), keep);
    expect((await store.get('b', [])).entry).toMatchObject({ outcome: { raw: 'here' } });
    await redis.restart();
    await isBack(redis, store);
    expect((await store.get('a', [])).entry).toBeUndefined();
    expect((await store.get('b', [])).entry).toBeUndefined();
  });

  it('rejects an invalidation while Redis cannot be reached', async () => {
    const { redis, store } = await startStore();
    for (const trouble of [redis.freeze, redis.kill]) {
      await trouble();
      expect(
        await timed(async () => {
          expect(String(await reasonOf(store.invalidate(['orders'])))).toBe(
            'Error: Redis cannot be reached, so its entries were not invalidated',
          );
        }),
      ).toBeLessThan(mostAddedMs);
    }
  });

  it.each([
    ['answers', () => undefined],
    ['is frozen', (redis) => redis.freeze()],
    ['is gone', (redis) => redis.kill()],
    ['is gone since a while', async (redis) => (await redis.kill(), sleep(1_200))],
  ] satisfies typeof troubles)(
    'leaves nothing open when it is closed while it %s',
    async (_, trouble) => {
      const redis = await startRedis();
      const { store, pending } = await openStore(redis.url);
      await trouble(redis);
      void store.get('a', ['orders']);
      expect(await timed(() => store.close())).toBeLessThan(mostAddedMs);
      await vi.waitFor(() => expect(sockets()).toEqual([]), { timeout: 1_000 });
      expect(pending.size).toBe(0);
      expect((await store.get('a', [])).entry).toBeUndefined();
    },
  );

  it('can be opened while Redis is frozen', async () => {
    const redis = await startRedis();
    redis.freeze();
    let store: CacheStore | undefined;
    const took = await timed(async () => ({ store } = await openStore(redis.url)));
    expect(took).toBeLessThan(1_500);
    redis.thaw();
    if (store) await isBack(redis, store);
  });

  it('bypasses a Redis that rejects writes', async () => {
    const { redis, store, warnings } = await startStore();
    await redis.ask('REPLICAOF 127.0.0.1 9');
    await store.set('a', entryOf('a'), keep);
    expect((await store.get('a', [])).entry).toMatchObject({ outcome: { raw: 'a' } });
    await sleep(1_500);
    expect((await store.get('a', [])).entry).toMatchObject({ outcome: { raw: 'a' } });
    expect(warnings).toEqual([expect.stringContaining('READONLY')]);
  });
});

/** Resolves when entries of the store reach Redis. */
async function isBack(redis: TestRedis, store: CacheStore) {
  await vi.waitFor(async () => {
    await store.set('back', entryOf(1), keep);
    expect(await redis.ask(`EXISTS ${redisName('entry', 'back')}`)).toBe(':1\r\n');
  });
}

function sockets(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name === 'TCPSocketWrap' || name === 'TCPConnectWrap');
}

function longest(times: readonly number[]): string {
  return `${Math.max(...times).toFixed(1)} ms`;
}
