/** Answers to lookups that are matched otherwise than by a field of their items. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { UpstreamError } from '../../../src/errors.ts';
import { startServer } from '../../support/servers.ts';
import { openShop } from '../../support/upstream-calls.ts';

interface Case {
  readonly body: string;
  readonly match: 'key' | 'position';
  readonly many?: boolean;
  readonly items?: string;
  readonly missing?: 'null' | 'error';
  readonly item?: z.ZodType;
}

/** The values of a and b, or the messages of their failures. */
async function valuesOf({ body, item = z.int(), ...options }: Case): Promise<unknown[]> {
  const { url } = await startServer((_, response) => response.end(body));
  const { service, open } = openShop({ url });
  const own = lookup(service, {
    name: 'numberOf',
    route: 'GET /numbers',
    keys: { query: 'ids' },
    by: 'id',
    item,
    ...options,
  });
  const call = open();
  const replies = await Promise.allSettled(['a', 'b'].map((id) => call(own, { id }, undefined)));
  return replies.map((reply) => {
    if (reply.status === 'fulfilled') return reply.value.value;
    expect(reply.reason).toBeInstanceOf(UpstreamError);
    return reply.reason.message.replace('shop.numberOf: ', '');
  });
}

describe('an object by key', () => {
  it.each<[string, Case, unknown[]]>([
    ['in any order', { body: '{"b":2,"a":1}', match: 'key' }, [1, 2]],
    ['of other keys, too', { body: '{"c":3,"b":2,"a":1}', match: 'key' }, [1, 2]],
    ['without a key', { body: '{"b":2}', match: 'key' }, [null, 2]],
    ['with null', { body: '{"a":null,"b":2}', match: 'key' }, [null, 2]],
    ['of lists', { body: '{"a":[1,2],"b":[]}', match: 'key', many: true }, [[1, 2], []]],
    ['that is empty', { body: '{}', match: 'key' }, [null, null]],
    ['that is empty and a list, as of PHP', { body: '[]', match: 'key' }, [null, null]],
    ['that is null', { body: 'null', match: 'key' }, [null, null]],
    ['that is absent', { body: '', match: 'key' }, [null, null]],
    [
      'whose value does not fit',
      { body: '{"a":1.5,"b":2}', match: 'key' },
      [expect.stringMatching(/^answered 200, but its body does not fit the schema/), 2],
    ],
    [
      'whose missing values are errors',
      { body: '{"b":2}', match: 'key', missing: 'error' },
      ['answered without an item for the key', 2],
    ],
    [
      'that is a list',
      { body: '[1,2]', match: 'key' },
      Array(2).fill('answered a lookup, but its body is not an object by key'),
    ],
    [
      'that is a list inside',
      { body: '{"data":{"of":[1]}}', match: 'key', items: 'data.of' },
      Array(2).fill('answered a lookup, but /data/of in its body is not an object by key'),
    ],
    [
      'that only looks as if it had keys',
      { body: '{"__proto__":{"a":1,"b":2}}', match: 'key', item: z.unknown() },
      [null, null],
    ],
  ])('%s', async (_, answer, values) => {
    expect(await valuesOf(answer)).toEqual(values);
  });
});

describe('a list by position', () => {
  it.each<[string, Case, unknown[]]>([
    ['with an entry for each key', { body: '[1,2]', match: 'position' }, [1, 2]],
    ['with null', { body: '[null,2]', match: 'position' }, [null, 2]],
    ['of lists', { body: '[[1],null]', match: 'position', many: true }, [[1], []]],
    [
      'with an entry that does not fit',
      { body: '[1,"2"]', match: 'position' },
      [1, expect.stringMatching(/^answered 200, but its body does not fit the schema/)],
    ],
    [
      'that is longer',
      { body: '[1,2,3]', match: 'position' },
      Array(2).fill('answered a lookup by position of 2 keys with 3 entries'),
    ],
    [
      'that is shorter',
      { body: '[1]', match: 'position' },
      Array(2).fill('answered a lookup by position of 2 keys with 1 entries'),
    ],
    [
      'that is null',
      { body: 'null', match: 'position' },
      Array(2).fill('answered a lookup by position of 2 keys with 0 entries'),
    ],
    [
      'that is an object',
      { body: '{"a":1}', match: 'position' },
      Array(2).fill('answered a lookup, but its body is not a list'),
    ],
  ])('%s', async (_, answer, values) => {
    expect(await valuesOf(answer)).toEqual(values);
  });
});

describe('the answer to a single key by position', () => {
  it.each<[string, string, object, unknown]>([
    ['is its item, without the key', '{"cents":5}', {}, { cents: 5 }],
    ['is null where it has none', 'null', {}, null],
    ['is inside', '{"data":{"cents":5}}', { items: 'data' }, { cents: 5 }],
    ['is the list of its items', '[{"cents":5}]', { many: true }, [{ cents: 5 }]],
    ['may be no list', 'null', { many: true }, []],
  ])('%s', async (_, body, options, value) => {
    const { url } = await startServer((_request, response) => response.end(body));
    const { service, open } = openShop({ url });
    const own = lookup(service, {
      single: 'GET /prices/:sku',
      match: 'position',
      by: 'sku',
      item: z.object({ cents: z.int() }),
      ...options,
    });
    expect((await open()(own, { sku: 'a' }, undefined)).value).toEqual(value);
  });
});

interface Compared {
  readonly compare: 'exact' | 'caseless' | 'number';
  readonly keys: readonly string[];
  /** The keys of the items that the service has. */
  readonly ids: readonly unknown[];
  /** The keys in its request. */
  readonly asked: string;
  readonly found: readonly unknown[];
}

describe('keys are the same', () => {
  it.each<[string, Compared]>([
    [
      'as they are',
      { compare: 'exact', keys: ['a', 'A'], ids: ['A'], asked: 'a,A', found: [null, 'A'] },
    ],
    [
      'without case',
      {
        compare: 'caseless',
        keys: ['a', 'A', 'b'],
        ids: ['B', 'A'],
        asked: 'a,b',
        found: ['A', 'A', 'B'],
      },
    ],
    [
      'in Greek',
      {
        compare: 'caseless',
        keys: ['ΟΔΟΣ'],
        ids: ['οδος'],
        asked: '%CE%9F%CE%94%CE%9F%CE%A3',
        found: ['οδος'],
      },
    ],
    [
      'as numbers',
      {
        compare: 'number',
        keys: ['007', '7.0', '-1'],
        ids: [-1, 7],
        asked: '007,-1',
        found: [7, 7, -1],
      },
    ],
    [
      'as long numbers',
      {
        compare: 'number',
        keys: ['9007199254740993', '9007199254740992'],
        ids: ['09007199254740992', '9007199254740993.0'],
        asked: '9007199254740993,9007199254740992',
        found: ['9007199254740993.0', '09007199254740992'],
      },
    ],
    [
      'beside texts',
      { compare: 'number', keys: ['7', '8'], ids: ['x', '7'], asked: '7,8', found: ['7', null] },
    ],
  ])('%s', async (_, { compare, keys, ids, asked, found }) => {
    const body = JSON.stringify(ids.map((id) => ({ id })));
    const { url, requests } = await startServer((_request, response) => response.end(body));
    const { service, open } = openShop({ url });
    const own = lookup(service, {
      route: 'GET /x',
      keys: { query: 'ids' },
      by: 'id',
      compare,
      item: z.object({ id: z.union([z.string(), z.number()]) }),
    });
    const call = open();
    const replies = await Promise.all(keys.map((id) => call(own, { id }, undefined)));
    expect(replies.map(({ value }) => value)).toEqual(
      found.map((id) => (id === null ? id : { id })),
    );
    expect(requests.map(({ target }) => target)).toEqual([`/x?ids=${asked}`]);
  });

  it('as numbers only where they are numbers', async () => {
    const { service, open } = openShop({ url: 'http://127.0.0.1:9' });
    const own = lookup(service, {
      name: 'x',
      route: 'GET /x',
      keys: { query: 'ids' },
      by: 'id',
      compare: 'number',
      item: z.object({ id: z.string() }),
    });
    const failure = await open()(own, { id: 'seven' }, undefined).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      kind: 'invalid-argument',
      message: 'shop.x: argument "id" is not a number, as which keys are compared',
    });
  });
});
