import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { multipart } from '../../../src/dsl/body-kinds.ts';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { holdBytes } from '../../../src/bytes.ts';
import { keyText } from '../../../src/dsl/lookup-by.ts';
import { toUnheld } from '../../../src/exact-number.ts';
import { canonical, keyOf, keyOfItem } from '../../../src/upstream/sharing/key.ts';
import { assertProperty } from '../../support/property.ts';
import { callOf, nowhere } from '../../support/upstream-calls.ts';

const name = fc.constantFrom(
  'a',
  'b',
  '__proto__',
  'constructor',
  'toJSON',
  '1',
  '10',
  '\u00e9',
  'e\u0301',
  '',
);
const leaf = fc.constantFrom(
  null,
  undefined,
  true,
  false,
  0,
  -0,
  1,
  '1',
  '',
  '\u00e9',
  'e\u0301',
  '\ud800',
  '{}',
);
const date = fc.constantFrom(0, 1).map((time) => new Date(time));

/** Few names and few leaves, so that equal values occur. */
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    date,
    fc.array(tie('value'), { maxLength: 2 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 2 }).map((fields) => recordOf(fields)),
  ),
}));

/** With `__proto__` as a field like any other. */
function recordOf(fields: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(fields);
}

/** Equality on the wire: without order of fields, `undefined` or sign of zero; dates as text. */
function same(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(onWire(a), onWire(b));
}

function onWire(part: unknown): unknown {
  if (part instanceof Date) return part.toISOString();
  if (part === 0) return 0;
  if (Array.isArray(part)) return part.map((item) => onWire(item ?? null));
  if (typeof part !== 'object' || part === null) return part;
  const fields = Object.entries(part).filter(([, field]) => field !== undefined);
  return new Map(fields.map(([key, field]) => [key, onWire(field)]));
}

function reversed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(reversed);
  if (typeof part !== 'object' || part === null || part instanceof Date) return part;
  const fields = Object.entries(part).map(([key, field]) => [key, reversed(field)] as const);
  return recordOf(fields.toReversed());
}

describe('the canonical form', () => {
  it('is equal exactly for equal values', () => {
    let equal = 0;
    assertProperty(
      fc.property(value, value, (a, b) => {
        const alike = same(a, b);
        if (alike) equal += 1;
        expect(canonical(a) === canonical(b)).toBe(alike);
      }),
      { full: 5_000 },
    );
    expect(equal).toBeGreaterThan(0);
  });

  it('does not depend on the order of fields, at any depth', () => {
    assertProperty(
      fc.property(value, (a) => {
        expect(canonical(reversed(a))).toBe(canonical(a));
      }),
      { full: 1_000 },
    );
  });

  it('of a JSON value is JSON for the same value', () => {
    assertProperty(
      fc.property(fc.jsonValue(), (a) => {
        expect(JSON.parse(canonical(a))).toEqual(JSON.parse(JSON.stringify(a)));
      }),
    );
  });

  it('sorts fields and keeps the order of lists', () => {
    expect(canonical({ b: [2, 1], a: { d: 1, c: undefined } })).toBe('{"a":{"d":1},"b":[2,1]}');
  });

  it('keeps a field named __proto__', () => {
    expect(canonical(JSON.parse('{"__proto__":{"admin":true}}'))).toBe(
      '{"__proto__":{"admin":true}}',
    );
  });

  it('of an exact number is its digits, which no text and no object have', () => {
    expect(canonical({ id: 2n ** 64n })).toBe('{"id":18446744073709551616}');
    expect(canonical({ id: toUnheld('1e400') })).toBe('{"id":1e400}');
    expect(canonical({ id: { rawJSON: '1e400' } })).toBe('{"id":{"rawJSON":"1e400"}}');
  });

  it('of undefined is empty', () => {
    expect(canonical(undefined)).toBe('');
  });

  it('of a deeply nested value does not overflow the stack', () => {
    const deep = Array.from({ length: 500 }).reduce<unknown>((inner) => ({ inner }), null);
    expect(canonical(deep)).toBe(JSON.stringify(deep));
  });
});

describe('the key of a call', () => {
  const order = operation(nowhere, { route: 'GET /orders/:id', response: z.unknown() });
  const orders = lookup(nowhere, {
    route: 'GET /orders',
    name: 'orderOf',
    keys: { query: 'ids' },
    by: 'id',
    item: z.object({ id: z.string() }),
  });

  it('cannot be forged by the text of an argument', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('"} {"', '{}', ' ', '"', '\\', '{"a":"b"}'));
    const parts = fc.record({
      args: fc.dictionary(text, text),
      headers: fc.dictionary(text, text),
    });
    assertProperty(
      fc.property(parts, parts, (a, b) => {
        const [one, two] = [a, b].map(({ args, headers }) =>
          keyOf(callOf(order, args, { headers })),
        );
        expect(one === two).toBe(same(a, b));
      }),
      { full: 1_000 },
    );
  });

  it('distinguishes numbers from texts, except in the key of a lookup', () => {
    expect(keyOf(callOf(order, { id: 7 }))).not.toBe(keyOf(callOf(order, { id: '7' })));
    expect([keyText(7), keyText(7n)]).toEqual([keyText('7'), keyText('7')]);
    const all = keyOf(callOf(orders));
    expect(keyOfItem(all, '7')).not.toBe(keyOfItem(all, '"7'));
  });

  it.each([
    ['sets', new Set(['1'])],
    ['maps', new Map([['a', 1]])],
    ['NaN', Number.NaN],
    ['regular expressions', /a/],
  ])('equals no other for %s, which JSON cannot represent', (_, odd) => {
    expect(keyWith(odd)).not.toBe(keyWith(odd));
    expect(keyWith(odd)).not.toBe(keyWith({}));
    expect(keyWith(odd)).not.toBe(keyWith(null));
  });

  it('distinguishes a lookup key from values that are none', () => {
    const none = [undefined, null, {}, true, Number.NaN];
    const texts = none.map((id) => [keyOf(callOf(orders, { id })), `${String(id)}`] as const);
    for (const [key, text] of texts) expect(key).not.toBe(keyOf(callOf(orders, { id: text })));
  });
});

describe('the key of a call with a credential among its arguments', () => {
  const get = operation(nowhere, { route: 'GET /:id', response: z.unknown() });
  const args = fc.dictionary(name, leaf, { maxKeys: 3 });

  it('is equal for the same calls as in clear, and for no others', () => {
    assertProperty(
      fc.property(args, args, (one, other) => {
        const [clear, hashed] = [false, true].map((conceals) =>
          [one, other].map((own) => keyOf(callOf(get, own, { conceals }))),
        );
        expect(hashed?.[0] === hashed?.[1]).toBe(clear?.[0] === clear?.[1]);
        expect(clear).not.toContain(hashed?.[0]);
      }),
    );
  });
});

describe('the key of a call with bytes', () => {
  const file = holdBytes(Buffer.from('x'), 'text/plain');
  const upload = operation(nowhere, {
    route: 'POST /files',
    body: multipart(z.object({ file: z.unknown() })),
    response: z.unknown(),
    safe: true,
  });
  const uploadKey = (body: unknown): string => keyOf(callOf(upload, { body }));

  it('is equal for equal bytes of one type, and for nothing that looks like them', () => {
    expect(uploadKey({ file })).toBe(
      uploadKey({ file: holdBytes(Buffer.from('x'), 'text/plain') }),
    );
    const { digest } = file as { readonly digest?: string }; // that of `isBytes`
    const others = [
      { file: holdBytes(Buffer.from('x'), 'text/html') },
      { file: holdBytes(Buffer.from('y'), 'text/plain') },
      { file: { bytes: digest } },
      { file: { fields: { bytes: digest } } },
      { file: digest },
      { fields: { file } },
      { bytes: digest },
      file,
    ];
    expect(new Set([{ file }, ...others].map(uploadKey)).size).toBe(1 + others.length);
  });
});

describe('the key of a page at an address that the page before gave', () => {
  const list = operation(nowhere, { route: 'GET /orders', response: z.unknown() });
  const at = (givenTarget: string | undefined, args = {}): string =>
    keyOf({ operation: list, args, givenTarget, identity: '', conceals: false });

  it('has the path and query, and is that of no arguments', () => {
    assertProperty(
      fc.property(
        fc.webPath(),
        fc.webPath(),
        fc.dictionary(fc.string(), fc.string()),
        (one, other, args) => {
          expect(at(one) === at(other)).toBe(one === other);
          expect(at(one)).not.toBe(at(undefined, args));
          expect(at(one)).not.toBe(at(undefined, { a: ` @${one}` }));
        },
      ),
    );
  });

  it('has a hash of both where arguments are made of a credential', () => {
    const hidden = keyOf({
      operation: list,
      args: {},
      givenTarget: '/orders?session=canary',
      identity: '',
      conceals: true,
    });
    expect(hidden).not.toContain('canary');
  });
});

describe('the text of a lookup key', () => {
  it('is exact for every number that JSON carries exactly', () => {
    assertProperty(
      fc.property(fc.maxSafeInteger(), (number) => {
        expect(keyText(number)).toBe(keyText(JSON.parse(String(number))));
        expect(keyText(number)).toBe(String(BigInt(number)));
      }),
    );
  });

  it.each([
    2 ** 53,
    -(2 ** 53),
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    true,
    {},
    [1],
    undefined,
  ])('is undefined for %s', (key) => {
    expect(keyText(key)).toBeUndefined();
  });
});

function keyWith(part: unknown): string {
  const own = operation(nowhere, { route: 'GET /orders/:id', response: z.unknown() });
  return keyOf(callOf(own, { id: 'a', part }));
}
