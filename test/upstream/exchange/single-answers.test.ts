/** Answers to a single key, over a real connection. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { startServer } from '../../support/servers.ts';
import { failureOf, openShop } from '../../support/upstream-calls.ts';

const item = z.object({ id: z.string(), of: z.string().optional() });

interface Options {
  readonly many?: boolean;
  readonly items?: string;
  readonly by?: 'id' | 'of';
  readonly key?: unknown;
}

/** The value, or the failure, of the key that a service answers so. */
async function valueOf(body: string, { key = '7', by = 'id', ...options }: Options = {}) {
  const { url, requests } = await startServer((_, response) => {
    response.writeHead(body === '' ? 204 : 200, { 'content-type': 'application/json' });
    response.end(body);
  });
  const { service, call } = openShop({ url });
  const own = lookup(service, { single: `GET /of/:${by}`, by, item, ...options });
  return { result: call(own, { [by]: key }, undefined), requests };
}

describe('the answer to a single key', () => {
  it.each<[string, string, Options, unknown]>([
    ['the item itself', '{"id":"7"}', {}, { id: '7' }],
    ['at a path', '{"data":{"it":{"id":"7"}}}', { items: 'data.it' }, { id: '7' }],
    ['null', 'null', {}, null],
    ['no body', '', {}, null],
    ['null at a path', '{"data":null}', { items: 'data' }, null],
    ['the item of another key', '{"id":"8"}', {}, null],
    ['an item whose key is a number', '{"id":"7"}', { key: 7 }, { id: '7' }],
    [
      'all items of the key',
      '[{"id":"1","of":"7"},{"id":"2","of":"7"}]',
      { many: true, by: 'of' },
      [
        { id: '1', of: '7' },
        { id: '2', of: '7' },
      ],
    ],
    ['no items', '{"list":[]}', { many: true, items: 'list' }, []],
  ])('may be %s', async (_, body, options, expected) => {
    const { result } = await valueOf(body, options);
    expect((await result).value).toEqual(expected);
  });

  it.each<[string, string, Options, string]>([
    ['that has no key', '{"error":"none"}', {}, 'answered with an item that has no readable "id"'],
    ['that is a list', '[{"id":"7"}]', {}, 'answered with an item that has no readable "id"'],
    ['that is text', '"7"', {}, 'answered with an item that has no readable "id"'],
    [
      'without the path',
      '{"id":"7"}',
      { items: 'data' },
      'answered a lookup, but /data in its body is not there',
    ],
    [
      'that is no list of many',
      '{"id":"7"}',
      { many: true },
      'answered a lookup, but its body is not a list',
    ],
  ])('fails the key %s', async (_, body, options, message) => {
    const { result } = await valueOf(body, options);
    expect(await failureOf(result)).toMatchObject({
      kind: 'invalid-body',
      message: expect.stringContaining(message),
    });
  });

  it('has the key as one segment of its path, which leads nowhere else', async () => {
    const { result, requests } = await valueOf('{"id":"a b?c#d"}', { key: 'a b?c#d' });
    expect((await result).value).toEqual({ id: 'a b?c#d' });
    expect(requests.map(({ target }) => target)).toEqual(['/of/a%20b%3Fc%23d']);
    for (const key of ['..', '.', 'a/b', '../x', 'a\u0000']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const other = await valueOf('{"id":"7"}', { key });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await failureOf(other.result)).toMatchObject({
        kind: 'invalid-argument',
        argument: 'id',
      });
      expect(other.requests).toEqual([]);
    }
  });
});

/** A service that answers each path with its own body. */
async function startOrders(body: (path: readonly string[]) => unknown) {
  const { url, requests } = await startServer((request, response) => {
    const path = (request.url ?? '').split('/').map(decodeURIComponent);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body(path)));
  });
  return { ...openShop({ url }), requests };
}

describe('a compound key of its own', () => {
  const orderOf = { single: 'GET /of/:tenantId/orders/:id', by: ['tenantId', 'id'] } as const;
  const Order = z.object({ tenantId: z.string(), id: z.string() });

  it('has each of its parts in its own segment', async () => {
    const { service, call, requests } = await startOrders(([, , tenantId, , id]) => ({
      tenantId,
      id,
    }));
    const own = lookup(service, { ...orderOf, item: Order });
    const keys = [
      { tenantId: 'a b', id: '1' },
      { tenantId: 'a', id: 'b 1' },
    ];
    const replies = await Promise.all(keys.map((key) => call(own, key, undefined)));
    expect(replies.map(({ value }) => value)).toEqual(keys);
    expect(requests.map(({ target }) => target).toSorted()).toEqual([
      '/of/a%20b/orders/1',
      '/of/a/orders/b%201',
    ]);
    const failure = await failureOf(call(own, { tenantId: '..', id: '1' }, undefined));
    expect(failure).toMatchObject({ kind: 'invalid-argument', argument: 'tenantId' });
  });

  it('has the list of its items at a path', async () => {
    const { service, call } = await startOrders(([, , tenantId]) => ({
      data: { list: ['1', '2', '1'].map((id) => ({ tenantId, id })) },
    }));
    const own = lookup(service, { ...orderOf, item: Order, many: true, items: 'data.list' });
    const { value } = await call(own, { tenantId: 'a', id: '1' }, undefined);
    expect(value).toEqual([
      { tenantId: 'a', id: '1' },
      { tenantId: 'a', id: '1' },
    ]);
  });
});
