import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import { UpstreamError } from '../../../src/errors.ts';
import type { Call, Dispatch, Send } from '../../../src/upstream/call.ts';
import { callError } from '../../../src/upstream/call.ts';
import { batch } from '../../../src/upstream/sharing/batch.ts';
import { keyOf } from '../../../src/upstream/sharing/key.ts';
import { openLoad } from '../../../src/upstream/sharing/open-load.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer } from '../../support/servers.ts';
import { callOf, nowhere, ok, openShop, reasonOf, turn } from '../../support/upstream-calls.ts';

const Item = z.object({ id: z.string() });

function itemOf(options: object = {}): Operation {
  return lookup(nowhere, {
    route: 'GET /items',
    keys: { query: 'ids' },
    by: 'id',
    item: Item,
    max: 1_000,
    ...options,
  });
}

/** The result of each key of a client: its item, `null`, or its failure in words. */
type Got = readonly unknown[];

/** Clients that share batches to a service that answers, or fails, as `answer` does. */
function startClients(answer: (keys: readonly string[]) => unknown, own = itemOf()) {
  const sent: Dispatch[] = [];
  let underWay = 0;
  let most = 0;
  const send: Send<Dispatch> = async (dispatch) => {
    sent.push(dispatch);
    underWay += 1;
    most = Math.max(most, underWay);
    await turn();
    underWay -= 1;
    dispatch.signal.throwIfAborted();
    const given = answer((dispatch.keys ?? []).map(String));
    if (typeof given === 'number') throw status(dispatch, given);
    if (given === 'too-large' || given === 'invalid-body') throw callError(dispatch, given, '');
    return { ...ok, value: given };
  };
  const sendLoad = batch(createFakeClock(), send);
  const ask = async (keys: readonly unknown[], rest: Partial<Call> = {}): Promise<Got> => {
    const call = callOf(own, {}, rest);
    const load = await openLoad(
      { call: { ...call, key: keyOf(call) }, keys, failsAtOnce: false },
      sendLoad,
    ).done;
    return load.values.map((value, index) =>
      load.failures?.has(index) === true ? wordsOf(load.failures.get(index)) : value,
    );
  };
  return { ask, sent, most: () => most, asked: () => sent.map(({ keys }) => keys) };
}

function status(call: Dispatch, code: number): Error {
  return callError(call, 'status', `answered ${code}`, { status: code });
}

function wordsOf(error: unknown): string {
  return error instanceof UpstreamError
    ? `${error.kind} ${error.status ?? ''}`.trim()
    : String(error);
}

const items = (keys: readonly string[]) => keys.map((id) => ({ id }));
const refusing = (keys: readonly string[]) =>
  keys.some((key) => key.startsWith('bad')) ? 400 : items(keys);
const numbered = (count: number, name = 'id') =>
  Array.from({ length: count }, (_, index) => `${name}${index}`);

describe('a rejected batch', () => {
  it.each([
    [2, 3],
    [3, 4],
    [4, 5],
    [9, 7],
    [40, 14],
    [100, 21],
    [150, 1 + 12 + 13],
  ])('of %i client requests with one bad key costs about 2√n requests: %i', async (count, most) => {
    for (const place of [0, Math.floor(count / 2), count - 1]) {
      const { ask, sent } = startClients(refusing);
      const keys = numbered(count).map((key, index) => (index === place ? 'bad' : key));
      // oxlint-disable-next-line no-await-in-loop -- one case after the other
      const got = await Promise.all(keys.map((key) => ask([key])));
      expect(got).toEqual(keys.map((key) => [key === 'bad' ? 'status 400' : { id: key }]));
      expect(sent.length).toBeLessThanOrEqual(most);
    }
  });

  it('of client requests with bad keys only costs n + √n + 1 requests', async () => {
    const { ask, sent } = startClients(refusing);
    const got = await Promise.all(numbered(100, 'bad').map((key) => ask([key])));
    expect(got).toEqual(got.map(() => ['status 400']));
    expect(sent.length).toBe(100 + 10 + 1);
  });

  it('never costs more for one bad key in each of 20 batches', async () => {
    const { ask, sent } = startClients(refusing);
    for (let round = 0; round < 20; round += 1) {
      const keys = [...numbered(39, `${round}-`), 'bad'];
      // oxlint-disable-next-line no-await-in-loop -- one batch after the other
      const got = await Promise.all(keys.map((key) => ask([key])));
      expect(got.slice(0, -1)).toEqual(items(keys.slice(0, -1)).map((item) => [item]));
    }
    expect(sent.length).toBeLessThanOrEqual(20 * (1 + 6 + 7));
  });

  it('makes other client requests wait for two more round trips at most', async () => {
    const { ask } = startClients(refusing);
    let turns = 0;
    const asked = [...numbered(63), 'bad'].map(async (key) => {
      await ask([key]);
      return turns;
    });
    const count = async (): Promise<void> => {
      while (turns < 50) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await turn();
        turns += 1;
      }
    };
    const [waited] = await Promise.all([Promise.all(asked), count()]);
    expect(Math.max(...waited)).toBeLessThanOrEqual(6);
  });

  it('sends at most 8 parts at once', async () => {
    const { ask, most } = startClients(refusing);
    await Promise.all(numbered(150, 'bad').map((key) => ask([key])));
    expect(most()).toBe(8);
  });

  it('is divided by client requests, each part with the keys it would have had alone', async () => {
    const { ask, asked } = startClients(refusing);
    const got = await Promise.all([ask(['a', 'b', 'bad']), ask(['b', 'c']), ask(['c', 'd', 'e'])]);
    expect(got).toEqual([
      ['status 400', 'status 400', 'status 400'],
      items(['b', 'c']),
      items(['c', 'd', 'e']),
    ]);
    expect(asked()).toEqual([
      ['a', 'b', 'bad', 'c', 'd', 'e'],
      ['a', 'b', 'bad'],
      ['b', 'c'],
      ['c', 'd', 'e'],
    ]);
  });

  it('is not sent again for a client request that asked for all of it', async () => {
    const { ask, asked } = startClients(refusing);
    const got = await Promise.all([ask(['a', 'bad']), ask(['a']), ask(['bad', 'a'])]);
    expect(got).toEqual([['status 400', 'status 400'], items(['a']), ['status 400', 'status 400']]);
    expect(asked()).toEqual([['a', 'bad'], ['a']]);
  });

  it('is not sent again if it has the keys of one client request', async () => {
    const { ask, sent } = startClients(refusing);
    expect(await ask(['a', 'bad'])).toEqual(['status 400', 'status 400']);
    expect(sent).toHaveLength(1);
  });

  it('is not sent again for client requests that are over', async () => {
    const { ask, asked } = startClients(refusing);
    const client = new AbortController();
    const left = ask(['a'], { signal: client.signal });
    const got = Promise.all([ask(['bad']), ask(['c'])]);
    await turn();
    client.abort(new Error('gone'));
    expect(await left).toEqual(['Error: gone']);
    expect(await got).toEqual([['status 400'], [{ id: 'c' }]]);
    expect(asked()).toEqual([['a', 'bad', 'c'], ['bad'], ['c']]);
  });

  it('has patient parts, which wait for the bulkhead, but is not patient itself', async () => {
    const { ask, sent } = startClients(refusing);
    await Promise.all([ask(['a']), ask(['bad'])]);
    expect(sent.map(({ isPatient }) => isPatient)).toEqual([false, true, true]);
  });

  it('fails all keys of a request that would be one alone, those answered elsewhere too', async () => {
    const { ask, asked } = startClients(refusing);
    const first = ask(['a']);
    await turn();
    const second = ask(['a', 'bad']);
    expect(await Promise.all([first, second])).toEqual([
      [{ id: 'a' }],
      ['status 400', 'status 400'],
    ]);
    expect(asked()).toEqual([['a'], ['bad']]);
  });

  it.each([403, 404, 409, 410, 413, 414, 422, 431])(
    'is sent again in parts after a %i',
    async (code) => {
      const { ask } = startClients((keys) => (keys.length > 1 ? code : items(keys)));
      expect(await Promise.all([ask(['a']), ask(['b'])])).toEqual([[{ id: 'a' }], [{ id: 'b' }]]);
    },
  );

  it.each([401, 407, 408, 421, 425, 429, 500, 503])(
    'is not sent again after a %i',
    async (code) => {
      const { ask, sent } = startClients((keys) => (keys.length > 1 ? code : items(keys)));
      const got = await Promise.all([ask(['a']), ask(['b'])]);
      expect(got).toEqual([[`status ${code}`], [`status ${code}`]]);
      expect(sent).toHaveLength(1);
    },
  );
});

describe('a batch whose answer is of no use', () => {
  it('is taken apart if it is too large for its client requests together', async () => {
    const { ask, asked } = startClients((keys) => (keys.length > 3 ? 'too-large' : items(keys)));
    const clients = [['a'], ['b', 'c'], ['d'], ['e', 'f', 'g', 'h']];
    expect(await Promise.all(clients.map((keys) => ask(keys)))).toEqual([
      [{ id: 'a' }],
      [{ id: 'b' }, { id: 'c' }],
      [{ id: 'd' }],
      ['e', 'f', 'g', 'h'].map(() => 'too-large'),
    ]);
    expect(asked().slice(0, 3)).toEqual([
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
      ['a', 'b', 'c'],
      ['d', 'e', 'f', 'g', 'h'],
    ]);
  });

  it('is not asked for again for one client request', async () => {
    const { ask, sent } = startClients(() => 'invalid-body');
    expect(await ask(['a', 'b'])).toEqual(['invalid-body', 'invalid-body']);
    expect(sent.length).toBe(1);
  });

  it.each<[string, (ids: readonly string[]) => string, object]>([
    ['is longer than maxBodyBytes', (ids) => JSON.stringify(items(ids)), { maxBodyBytes: 40 }],
    ['has an item that is not UTF-8', (ids) => utf8OrNot(ids), {}],
    [
      'is not JSON for one item',
      (ids) => JSON.stringify(items(ids)).replace('"bad"', '"bad","left":NaN'),
      {},
    ],
  ])('fails nobody else if it %s', async (_, answer, options) => {
    const { url } = await startServer((request, response) => {
      const ids = new URL(request.url ?? '', 'http://x').searchParams.get('ids')?.split(',') ?? [];
      response.end(Buffer.from(answer(ids), 'latin1'));
    });
    const { service, upstreams, open } = openShop({
      url,
      service: { breaker: { volume: 1, failedPercent: 1 } },
    });
    const own = lookup(service, {
      route: 'GET /items',
      keys: { query: 'ids' },
      by: 'id',
      item: Item,
      ...options,
    });
    const keys = ['a', 'b', 'bad', 'c', 'd'];
    const calls = keys.map((id) => open()(own, { id }, undefined));
    const got = await Promise.all(calls.map((reply) => reply.then(({ value }) => value, wordsOf)));
    const expected = items(keys);
    expect(got.toSpliced(2, 1)).toEqual(expected.toSpliced(2, 1));
    expect(upstreams.status()).toMatchObject([{ breaker: 'closed' }]);
  });
});

/** One byte of Latin-1 in the item of `bad`. */
function utf8OrNot(ids: readonly string[]): string {
  return JSON.stringify(ids.map((id) => ({ id, name: id === 'bad' ? '\u00ff' : '' })));
}

const knowing = (known: readonly string[]) => (keys: readonly string[]) => {
  const found = keys.filter((key) => known.includes(key));
  return found.length === 0 ? 404 : items(found);
};

describe('a 404 from a lookup', () => {
  it('to a single key says that it has no item, alone and beside others', async () => {
    const { ask } = startClients(knowing(['a']));
    expect(await ask(['x'])).toEqual([null]);
    expect(await Promise.all([ask(['a']), ask(['x'])])).toEqual([[{ id: 'a' }], [null]]);
    expect(await Promise.all([ask(['x']), ask(['x']), ask(['y'])])).toEqual([
      [null],
      [null],
      [null],
    ]);
  });

  it('to a single key is a missing item if that is an error', async () => {
    const { ask } = startClients(knowing([]), itemOf({ missing: 'error' }));
    expect(await ask(['x'])).toEqual(['missing']);
  });

  it('to a single key means no items if there may be many', async () => {
    const { ask } = startClients(knowing([]), itemOf({ many: true }));
    expect(await ask(['x'])).toEqual([[]]);
  });

  it('to several keys of one client request is a failure', async () => {
    const { ask, asked } = startClients(knowing([]));
    expect(await Promise.all([ask(['x', 'y']), ask(['z'])])).toEqual([
      ['status 404', 'status 404'],
      [null],
    ]);
    expect(asked()).toEqual([['x', 'y', 'z'], ['x', 'y'], ['z']]);
  });

  it('to several keys says that none has an item if the lookup says so', async () => {
    const { ask, asked } = startClients(knowing([]), itemOf({ notFound: 'none' }));
    expect(await Promise.all([ask(['x', 'y']), ask(['z'])])).toEqual([[null, null], [null]]);
    expect(asked()).toEqual([['x', 'y', 'z']]);
  });
});

describe('every client of a batch', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'bad1', 'bad2', 'rare1', 'rare2');
  const client = fc.uniqueArray(key, { minLength: 1, maxLength: 4 });

  it('gets what it would have got on its own, for n + √n + 1 requests at most', async () => {
    await assertProperty(
      fc.asyncProperty(
        fc.array(client, { minLength: 1, maxLength: 30 }),
        fc.record({
          refusal: fc.constantFrom(400, 404, 422, 'too-large', 'invalid-body'),
          none: fc.constantFrom(200, 404),
          most: fc.constantFrom(2, 5, 100),
        }),
        fc.record({
          many: fc.boolean(),
          missing: fc.constantFrom('null' as const, 'error' as const),
          notFound: fc.constantFrom('none' as const, 'error' as const),
        }),
        async (all, { refusal, none, most }, options) => {
          // Only the lookup's declaration tells several keys without items from a failure.
          const isUndeclared = none === 404 && options.notFound === 'error';
          const clients = isUndeclared ? all.map((keys) => keys.slice(0, 1)) : all;
          // A batch is refused for its size, too; any other refusal is about one request.
          const answer = (keys: readonly string[]) => {
            if (keys.length > Math.max(most, 4)) return 414;
            // Where a 404 says that no key has an item, it says nothing else.
            const isUnclear = refusal === 404 && options.notFound === 'none';
            if (keys.some((one) => one.startsWith('bad'))) return isUnclear ? 400 : refusal;
            const found = keys.filter((one) => !one.startsWith('rare'));
            return found.length === 0 && none === 404 ? 404 : items(found);
          };
          const own = itemOf(options);
          const alone = await Promise.all(
            clients.map((keys) => startClients(answer, own).ask(keys)),
          );
          const { ask, sent } = startClients(answer, own);
          expect(await Promise.all(clients.map((keys) => ask(keys)))).toEqual(alone);
          const n = clients.length;
          expect(sent.length).toBeLessThanOrEqual(n === 1 ? 1 : n + Math.sqrt(n) + 1);
        },
      ),
      { full: 1_000 },
    );
  });
});

describe('a key that does not fit its schema', () => {
  const own = itemOf({ key: z.string().trim().regex(/^\w+$/) });

  it('is not sent and fails on its own', async () => {
    const { ask, asked } = startClients(items, own);
    expect(await Promise.all([ask(['a', '!']), ask([' b '])])).toEqual([
      [{ id: 'a' }, 'invalid-argument'],
      [{ id: 'b' }],
    ]);
    expect(asked()).toEqual([['a', 'b']]);
  });

  it('is named by its argument and quoted nowhere', async () => {
    const { service, call } = openShop({});
    const keyed = lookup(service, {
      name: 'itemOf',
      route: 'GET /items',
      keys: { query: 'ids' },
      by: 'id',
      item: Item,
      key: z.uuid(),
    });
    expect(await reasonOf(call(keyed, { id: 'secret' }, undefined))).toMatchObject({
      kind: 'invalid-argument',
      argument: 'id',
      message: 'shop.itemOf: argument "id" does not fit its schema: Invalid UUID',
    });
  });
});

describe('a rejected batch over a real connection', () => {
  it('is sent again without retries and with permits, and leaves the breaker closed', async () => {
    const { url, requests } = await startServer((request, response) => {
      const ids = new URL(request.url ?? '', 'http://x').searchParams.get('ids')?.split(',') ?? [];
      setTimeout(() => {
        if (ids.includes('bad')) response.writeHead(400).end();
        else response.end(JSON.stringify(items(ids)));
      }, 30);
    });
    const { service, upstreams, open } = openShop({
      url,
      service: {
        retryBudget: { percent: 0, floor: 0 },
        bulkhead: { concurrency: 1, queue: 1, waitMs: 10 },
        breaker: { volume: 1, failedPercent: 1 },
      },
    });
    const own = lookup(service, {
      route: 'GET /items',
      keys: { query: 'ids' },
      by: 'id',
      item: Item,
    });
    const keys = [...numbered(15), 'bad'];
    const calls = keys.map((id) => open()(own, { id }, undefined));
    const got = await Promise.all(calls.map((reply) => reply.then(({ value }) => value, wordsOf)));
    expect(got).toEqual([...items(keys.slice(0, -1)), 'status 400']);
    expect(requests).toHaveLength(1 + 4 + 4);
    expect(upstreams.status()).toMatchObject([{ breaker: 'closed' }]);
  });
});
