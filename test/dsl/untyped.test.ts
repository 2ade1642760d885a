/** Declarations in plain JavaScript: whatever stands in an option, its author gets a sentence. */
import * as fc from 'fast-check';
import { apiKey, clientCredentials, csv, defineComposition, defineService, lookup } from 'plait';
import { operation } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CompositionError } from '../../src/errors.ts';
import { compileAll } from '../../src/plan/compile.ts';
import { shownValue } from '../../src/shown-value.ts';
import { assertProperty } from '../support/property.ts';
import { messageOf } from '../support/page.ts';

const service = (more: object = {}) =>
  defineService({ name: 'shop', url: 'http://shop', ...more } as never);
const item = z.object({ id: z.string(), code: z.string() });

/** By what is declared, a declaration that is fine, and how it is made. */
const declarations: Readonly<Record<string, readonly [object, (config: never) => unknown]>> = {
  service: [{ name: 'shop', url: 'https://shop' }, defineService],
  'service.tls': [{ ca: { env: 'A' } }, (tls) => service({ url: 'https://shop', tls })],
  'service.queryStyle': [{ arrays: 'comma' }, (queryStyle) => service({ queryStyle })],
  'service.headers': [{ 'x-a': 'b' }, (headers) => service({ headers })],
  apiKey: [{ header: 'x-key' }, (place) => service({ auth: apiKey({ env: 'KEY' }, place) })],
  clientCredentials: [
    { tokenUrl: 'https://issuer/token', clientId: 'a', clientSecret: { env: 'A' }, scope: 'a' },
    (config) => service({ auth: clientCredentials(config) }),
  ],
  operation: [{ route: 'POST /a', response: item }, (config) => operation(service(), config)],
  'response of an operation': [
    { body: item, headers: z.object({ etag: z.string() }), status: z.literal(200) },
    (response) => operation(service(), { route: 'GET /a', response } as never),
  ],
  failure: [
    { body: item, status: { at: 'code', values: { A: 404 } } },
    (failure) => operation(service(), { route: 'GET /a', response: item, failure } as never),
  ],
  'status of a failure': [
    { at: 'code', values: { A: 404 }, otherwise: 500 },
    (status) => {
      const failure = { body: item, status };
      return operation(service(), { route: 'GET /a', response: item, failure } as never);
    },
  ],
  problem: [
    { errors: 'errors', pointer: 'at', detail: 'text' },
    (problem) => operation(service(), { route: 'POST /a', response: item, problem } as never),
  ],
  lookup: [
    { route: 'GET /a', keys: { query: 'ids' }, by: 'id', item, max: 5 },
    (config) => lookup(service(), config),
  ],
  'lookup of one key': [
    { single: 'GET /a/:id', by: 'id', item, concurrency: 2 },
    (config) => lookup(service(), config),
  ],
  'keys of a lookup': [
    { query: 'ids', repeat: true },
    (keys) => lookup(service(), { route: 'GET /a', keys, by: 'id', item } as never),
  ],
  csv: [{ separator: ';', header: true }, (options) => csv(item, options)],
  composition: [
    { route: 'POST /a', compose: () => ({}), deadlineMs: 5 },
    (config) => {
      const { errors } = compileAll([{ name: 'c', composition: defineComposition(config) }]);
      if (errors[0] !== undefined) throw errors[0];
    },
  ],
};

const anything = fc.oneof(
  fc.constantFrom<unknown[]>(
    undefined,
    null,
    0,
    -1,
    1.5,
    Number.NaN,
    '',
    'x',
    '__proto__',
    true,
    false,
    [],
    [null],
    {},
    { a: 1 },
    Object.create(null),
    Symbol('s'),
    10n,
    new Date(0),
    z.string(),
    new Map(),
    () => 1,
    Promise.resolve(1),
    /x/,
    [[['a']]],
    [10n],
    { toString: () => 1 },
  ),
  fc.anything({ withBigInt: true, withNullPrototype: true, withSymbol: true } as never),
);

function failureOf(declare: () => unknown): unknown {
  try {
    declare();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a declaration', () => {
  it.each(Object.keys(declarations))('of %s fails with a sentence, if at all', (what) => {
    const [fine, declare] = declarations[what] ?? [{}, String];
    expect(() => declare(fine as never)).not.toThrow();
    const knobs = [...Object.keys(fine), 'name', 'query', 'body', 'headers', 'forward', 'match'];
    assertProperty(
      fc.property(fc.constantFrom(...knobs), anything, (knob, value) => {
        const error = failureOf(() => declare({ ...fine, [knob]: value } as never));
        expect(error === undefined || error instanceof CompositionError).toBe(true);
        expect(String(error)).not.toMatch(/\[object |cannot be compiled/);
      }),
    );
  });

  it.each<[string, () => unknown, string]>([
    [
      'a query without z.object()',
      () => operation(service(), { route: 'GET /a', response: item, query: { a: 1 } } as never),
      'shop.getA: query is an object. Use z.object({ … }).',
    ],
    [
      'a query that is another schema',
      () => operation(service(), { route: 'GET /a', response: item, query: z.string() } as never),
      'shop.getA: query is a string. Use z.object({ … }).',
    ],
    [
      'a body that is no schema',
      () => operation(service(), { route: 'POST /a', response: item, body: 'x' } as never),
      'shop.postA: body is "x". Use a schema, as z.object({ … }).',
    ],
    [
      'no route',
      () => operation(service(), { response: item } as never),
      'service "shop": route undefined cannot be used. Write a method (GET, HEAD, POST, PUT, ' +
        'PATCH, DELETE), one space and a path, as in "GET /orders/:orderId".',
    ],
    [
      'no variable where a file of an authority was meant',
      () => service({ url: 'https://shop', tls: { ca: null } }),
      'service "shop": tls.ca is null. Use { env: "NAME" } or { file: "/path" }.',
    ],
    [
      'a header to forward that has no name',
      () => service({ forward: [null] }),
      'service "shop": forward has null, which is not a header name.',
    ],
    [
      'a header for a key that is none',
      () => apiKey({ env: 'KEY' }, { header: 7 } as never),
      'apiKey(): header is 7, which is not a header name.',
    ],
    [
      'repeat as a text',
      () =>
        lookup(service(), {
          route: 'GET /a',
          keys: { query: 'ids', repeat: 'no' },
          by: 'id',
          item,
        } as never),
      'shop.getA: keys.repeat is "no". Use true or false.',
    ],
    [
      'statuses that are a text',
      () =>
        operation(service(), {
          route: 'GET /a',
          response: item,
          failure: { body: item, status: { at: 'code', values: 'A' } },
        } as never),
      'shop.getA: failure.status.values is "A". Write { CODE: 404 }.',
    ],
  ])('with %s is refused', (_, declare, message) => {
    expect(messageOf(declare)).toBe(message);
  });
});

it('a value in a message is as one would write it, and never quotes an object', () => {
  expect(
    ['x', 7, 7n, null, undefined, [1, 'a', {}], { password: 'x' }, Symbol('s'), String].map(
      shownValue,
    ),
  ).toEqual([
    '"x"',
    '7',
    '7n',
    'null',
    'undefined',
    '[1,"a",an object]',
    'an object',
    'a symbol',
    'a function',
  ]);
});
