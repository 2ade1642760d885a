import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { KeyStyle } from '../../../src/dsl/lookup-keys.ts';
import type { Dispatch } from '../../../src/upstream/call.ts';
import { UpstreamError } from '../../../src/errors.ts';
import { segmentProblem, traversalProblem } from '../../../src/path-segment.ts';
import { targetOf } from '../../../src/upstream/exchange/target.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer } from '../../support/servers.ts';
import { dispatchFor, failureOf, nowhere, openShop } from '../../support/upstream-calls.ts';

const getPart = operation(nowhere, {
  name: 'getPart',
  route: 'GET /orders/:orderId/parts/:partId',
  response: z.null(),
});

/** Values by which an attacker would try to reach another path. */
const hostile = [
  '',
  '.',
  '..',
  '...',
  '%2e%2e',
  '.%2e',
  '%2E.',
  'a/b',
  '../../admin',
  '..\\admin',
  '..;x=1',
  '/',
  '//evil',
  'http://evil/x',
  '?x=1',
  '#fragment',
  '%',
  '%00',
  '%2f',
  '\0',
  'a\r\nHost: evil',
  '\t',
  '\u007f',
  '\u0085',
  '\u2028',
  '\uFEFF',
  ' ',
  '\ud800',
  'a\udc00b',
  '😀',
  '‥',
  '../',
  '__proto__',
  'x'.repeat(10_240),
];

const codeUnits = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) });
const argument = fc.oneof(
  fc.constantFrom(...hostile),
  fc.string({ unit: 'binary', maxLength: 40 }),
  codeUnits,
  fc.string({ unit: fc.constantFrom('.', '/', '%', '2', 'e', 'f', '\\', ';', '?', '#') }),
  fc.integer(),
  fc.double(),
);

const problemOf = (text: string) => segmentProblem(text) ?? traversalProblem(text);

/** The target, or the error. */
function outcomeOf(call: Dispatch, query = {}): string | UpstreamError {
  try {
    return targetOf(call, query);
  } catch (error) {
    if (error instanceof UpstreamError) return error;
    throw error;
  }
}

/** As written, and as whoever normalises it on the way reads it. */
function isExactly(target: string, segments: readonly string[]): boolean {
  const decoded = target.split('/').map(decodeURIComponent);
  return (
    isDeepStrictEqual(decoded, segments) &&
    new URL(`http://h${target}`).pathname === target &&
    new URL(target, 'http://h/x/y').href === `http://h${target}`
  );
}

describe('a path argument', () => {
  it('never reaches another path: it is rejected by its name, or stays one segment', () => {
    assertProperty(
      fc.property(argument, argument, (orderId, partId) => {
        const outcome = outcomeOf(dispatchFor(getPart, { orderId, partId }));
        const segments = ['', 'orders', String(orderId), 'parts', String(partId)];
        expect(outcome instanceof UpstreamError || isExactly(outcome, segments)).toBe(true);
      }),
      { full: 2_000 },
    );
  });

  it('is named in the error if it is rejected', () => {
    const refused = argument.map(String).filter((text) => problemOf(text) !== undefined);
    assertProperty(
      fc.property(refused, (partId) => {
        expect(outcomeOf(dispatchFor(getPart, { orderId: 'a', partId }))).toMatchObject({
          kind: 'invalid-argument',
          argument: 'partId',
          message: `shop.getPart: argument "partId" ${problemOf(partId)}`,
        });
      }),
    );
  });

  it('arrives at a real server as it was given', async () => {
    const { url, requests } = await startServer();
    const { service, open } = openShop({ url });
    const part = operation(service, {
      route: 'GET /orders/:orderId/parts/:partId',
      response: z.null(),
    });
    let sent = 0;
    const sendable = argument.filter((value) => problemOf(String(value)) === undefined);
    const finite = sendable.filter((value) => Number.isFinite(value) || typeof value === 'string');
    await assertProperty(
      fc.asyncProperty(finite, finite, async (orderId, partId) => {
        // Each in a request of its own: the same call twice in one is sent once.
        await open()(part, { orderId, partId }, undefined);
        sent += 1;
        expect(requests.at(-1)?.target.split('/').map(decodeURIComponent)).toEqual([
          '',
          'orders',
          String(orderId),
          'parts',
          String(partId),
        ]);
      }),
      { full: 100 },
    );
    expect(requests.length).toBe(sent);
  });

  it.each([
    ['is empty', ''],
    ['is a relative path', '.'],
    ['is a relative path', '..'],
    ['contains control characters', 'a\0'],
    ['contains control characters', '\u007f'],
    ['is not well-formed Unicode', '\ud800'],
    ['is longer than 1024 characters', 'x'.repeat(1_025)],
    ['is NaN', Number.NaN],
    ['is -Infinity', Number.NEGATIVE_INFINITY],
    ['is null, not text', null],
    ['is undefined, not text', undefined],
    ['is boolean, not text', true],
    ['is symbol, not text', Symbol('7')],
    ['is object, not text', ['a']],
    ['is object, not text', { toString: () => 'a' }],
  ])('is rejected if it %s', (problem, orderId) => {
    const error = outcomeOf(dispatchFor(getPart, { orderId, partId: 'p' }));
    expect(error).toMatchObject({
      kind: 'invalid-argument',
      argument: 'orderId',
      message: `shop.getPart: argument "orderId" ${problem}`,
    });
  });

  it('is not sent if it is rejected', async () => {
    const { url, accepted, requests } = await startServer();
    const { service, call } = openShop({ url });
    const getOrder = operation(service, { route: 'GET /orders/:orderId', response: z.null() });
    const error = await failureOf(call(getOrder, { orderId: '..' }, undefined));
    expect(error.kind).toBe('invalid-argument');
    expect([accepted, requests]).toEqual([0, []]);
  });

  it('may have 1024 characters', () => {
    const long = 'ä'.repeat(1_024);
    const target = targetOf(dispatchFor(getPart, { orderId: long, partId: 1 }), {});
    expect(decodeURIComponent(target)).toBe(`/orders/${long}/parts/1`);
  });

  it('cannot come from a prototype', () => {
    const getOwner = operation(nowhere, { route: 'GET /x/:toString', response: z.null() });
    expect(outcomeOf(dispatchFor(getOwner, {}))).toMatchObject({ argument: 'toString' });
  });

  it('is not needed by a route without parameters', () => {
    const root = operation(nowhere, { route: 'GET /', response: z.null() });
    const list = operation(nowhere, { route: 'GET /orders/all', response: z.null() });
    expect(targetOf(dispatchFor(root), {})).toBe('/');
    expect(targetOf(dispatchFor(list), {})).toBe('/orders/all');
  });
});

describe('a query', () => {
  const search = operation(nowhere, { name: 'search', route: 'GET /search', response: z.null() });
  const targetWith = (query: Readonly<Record<string, unknown>>) =>
    targetOf(dispatchFor(search), query);

  it('with any text is read back by the rules of URLSearchParams', () => {
    const text = fc.string({ unit: 'binary' });
    assertProperty(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text))), (query) => {
        const target = targetWith(query);
        const { pathname, searchParams, hash } = new URL(`http://h${target}`);
        expect([pathname, hash]).toEqual(['/search', '']);
        const expected = Object.entries(query).flatMap(([name, value]) =>
          [value].flat().map((item) => [name, item]),
        );
        expect([...searchParams]).toEqual(expected);
      }),
    );
  });

  it.each([
    ['/search', {}],
    ['/search?q=a+b%26c%3Dd', { q: 'a b&c=d' }],
    ['/search?id=a&id=b', { id: ['a', 'b'] }],
    ['/search', { id: [] }],
    ['/search?id=a&id=b', { id: ['a', null, undefined, 'b'] }],
    ['/search?c=', { a: undefined, b: null, c: '' }],
    ['/search?on=true&off=false&n=0&big=7', { on: true, off: false, n: 0, big: 7n }],
    ['/search?at=1970-01-01T00%3A00%3A00.000Z', { at: new Date(0) }],
  ])('becomes %s', (target, query) => {
    expect(targetWith(query)).toBe(target);
  });

  it.each([
    ['is an object, which cannot be written in a query', { filter: { a: 1 } }],
    ['is an object, which cannot be written in a query', { filter: [['nested']] }],
    ['is not a valid date', { filter: new Date(Number.NaN) }],
    ['is not well-formed Unicode', { filter: '\ud800' }],
    ['is NaN', { filter: Number.NaN }],
    ['is Infinity', { filter: ['a', Number.POSITIVE_INFINITY] }],
  ])('is rejected if an argument %s', (problem, query) => {
    expect(outcomeOf(dispatchFor(search), query)).toMatchObject({
      kind: 'invalid-argument',
      argument: 'filter',
      message: `shop.search: argument "filter" ${problem}`,
    });
  });
});

const anyOrder = { response: z.unknown() };

async function requestOf(
  config: { query?: z.ZodObject; body?: z.ZodType; route?: 'GET /o/:id' | 'POST /o/:id' },
  args: Record<string, unknown>,
) {
  const { url, requests } = await startServer();
  const { service, call } = openShop({ url });
  const route = config.route ?? (config.body ? 'POST /o/:id' : 'GET /o/:id');
  const order = operation(service, { name: 'order', ...anyOrder, ...config, route });
  const failure = await call(order, args, undefined).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { request: requests[0], failure };
}

describe('a body that a function of its schema made', () => {
  it.each<[string, z.ZodType, unknown]>([
    ['NaN', z.string().transform(Number), 'a'],
    ['an instance of Set', z.array(z.string()).transform((all) => new Set(all)), ['a']],
    ['an instance of Map', z.map(z.string(), z.string()), new Map()],
    ['undefined', z.array(z.string().catch(() => undefined as never)), [7]],
  ])('is rejected if it has %s, which JSON would change', async (found, field, value) => {
    const body = z.object({ field });
    const { request, failure } = await requestOf({ body }, { id: '1', body: { field: value } });
    expect(request).toBeUndefined();
    expect(failure).toMatchObject({
      kind: 'invalid-argument',
      argument: 'body',
      message: `shop.order: argument "body": ${found} cannot be carried by JSON`,
    });
  });

  it('is sent with dates as text, and without fields that are undefined', async () => {
    const body = z.object({ at: z.coerce.date(), none: z.unknown().transform(() => undefined) });
    const { request } = await requestOf({ body }, { id: '1', body: { at: 0, none: 1 } });
    expect(request?.body).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
  });
});

describe('the schema of a query', () => {
  it('applies defaults and removes unknown arguments', async () => {
    const query = z.object({ size: z.int().default(20) });
    const { request } = await requestOf({ query }, { id: 1, stray: 'x' });
    expect(request?.target).toBe('/o/1?size=20');
  });

  it('does not see the arguments of path and body, even if it is strict', async () => {
    const query = z.strictObject({ size: z.int() });
    const { request } = await requestOf(
      { query, body: z.object({}) },
      { id: 1, size: 2, body: {} },
    );
    expect(request).toMatchObject({ target: '/o/1?size=2', body: '{}' });
  });

  it('may be loose, and then gets all arguments that have no other use', async () => {
    const { request } = await requestOf({ query: z.looseObject({}) }, { id: 1, extra: 'x' });
    expect(request?.target).toBe('/o/1?extra=x');
  });

  it('rejects a query argument by its name, before anything is sent', async () => {
    const { failure, request } = await requestOf(
      { query: z.object({ size: z.int() }) },
      { id: 1, size: 'many' },
    );
    expect(request).toBeUndefined();
    expect(failure).toMatchObject({ kind: 'invalid-argument', argument: 'size' });
    expect(String(failure)).toContain('shop.order: argument "size": Invalid input');
  });

  it('rejects a body by the path of the invalid value', async () => {
    const body = z.object({ items: z.array(z.object({ sku: z.string() })) });
    const { failure } = await requestOf({ body }, { id: 1, body: { items: [{ sku: 1 }] } });
    expect(failure).toMatchObject({ kind: 'invalid-argument', argument: 'body' });
    expect(String(failure)).toContain('argument "body.items.0.sku"');
  });

  it('rejects the query as a whole if none of its arguments is to blame', async () => {
    const query = z
      .object({ from: z.int(), to: z.int() })
      .refine(({ from, to }) => from <= to, 'ends before it begins');
    const { failure } = await requestOf({ query }, { id: 1, from: 2, to: 1 });
    expect(failure).toMatchObject({ argument: 'query' });
    expect(String(failure)).toContain('argument "query": custom');
  });

  it('sends a JSON body with its content type', async () => {
    const { request } = await requestOf(
      { body: z.object({ a: z.string() }) },
      { id: 1, body: { a: 'ä' } },
    );
    expect(request).toMatchObject({ method: 'POST', body: '{"a":"ä"}' });
    expect(request?.headers['content-type']).toBe('application/json');
  });

  it('sends neither body nor content type if the body is optional and absent', async () => {
    const { request } = await requestOf({ body: z.string().optional() }, { id: 1 });
    expect(request).toMatchObject({ method: 'POST', body: '' });
    expect(request?.headers['content-type']).toBeUndefined();
  });
});

describe('the keys of a lookup', () => {
  const item = z.object({ 'id[]': z.string() });
  const withKeys = (keys: KeyStyle) =>
    lookup(nowhere, { route: 'POST /items', keys, by: 'id[]', item, query: z.object({}) });
  const targetFor = (style: KeyStyle, keys: readonly string[], query = {}) =>
    targetOf(dispatchFor(withKeys(style), {}, { keys }), query);
  const keys = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.constantFrom('a&b=c', '%2C', '#', '+'),
    ),
    { minLength: 1 },
  );

  it('survive a round trip as a comma-separated list', () => {
    const without = keys.map((list) => list.map((key) => key.replaceAll(',', ';')));
    assertProperty(
      fc.property(without, (list) => {
        const { searchParams, hash } = new URL(`http://h${targetFor({ query: 'ids[]' }, list)}`);
        expect(hash).toBe('');
        expect([...searchParams]).toEqual([['ids[]', list.join(',')]]);
        expect(searchParams.get('ids[]')?.split(',')).toEqual(list);
      }),
    );
  });

  it('survive a round trip as a repeated parameter', () => {
    assertProperty(
      fc.property(keys, (list) => {
        const target = targetFor({ query: 'id&', repeat: true }, list);
        expect([...new URL(`http://h${target}`).searchParams]).toEqual(
          list.map((key) => ['id&', key]),
        );
      }),
    );
  });

  it('are separated by commas that are not encoded', () => {
    expect(targetFor({ query: 'ids' }, ['a', 'b c', 'd/e'])).toBe('/items?ids=a,b%20c,d%2Fe');
  });

  it('come after the query', () => {
    const query = { currency: 'EUR' };
    expect(targetFor({ query: 'ids' }, ['a'], query)).toBe('/items?currency=EUR&ids=a');
  });

  it('do not change the target if they go into the body', () => {
    expect(targetFor({ body: 'ids' }, ['a', 'b'])).toBe('/items');
  });

  it('survive a round trip through a real server, as text', async () => {
    const answer = z.object({ 'id[]': z.string() });
    const { url, requests } = await startServer((_, response) => void response.end('[]'));
    const { service, open } = openShop({ url });
    const items = lookup(service, {
      route: 'POST /items',
      keys: { body: 'ids' },
      by: 'id[]',
      item: answer,
    });
    await assertProperty(
      fc.asyncProperty(keys, async (list) => {
        const call = open();
        await Promise.all(list.map((key) => call(items, { 'id[]': key }, undefined)));
        expect(JSON.parse(requests.at(-1)?.body ?? '')).toEqual({ ids: [...new Set(list)] });
      }),
      { full: 50 },
    );
    expect(requests[0]).toMatchObject({ method: 'POST', target: '/items' });
  });
});
