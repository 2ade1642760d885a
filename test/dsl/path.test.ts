/** Paths: what they lead to, and which are refused. */
import * as fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { mayHavePath, parsePath, readPath } from '../../src/dsl/path.ts';
import type { At, Last, PathOf } from '../../src/dsl/path.ts';
import { messageOf } from '../support/page.ts';
import { assertProperty } from '../support/property.ts';

const read = (value: unknown, text: string): unknown =>
  readPath(value, parsePath(text, 'items', 'things.x'));

describe('reading a path', () => {
  it.each<[string, unknown, unknown]>([
    ['a', { a: 1 }, 1],
    ['a.b', { a: { b: 1 } }, 1],
    ['a.b.c', { a: { b: { c: 1 } } }, 1],
    ['a.b', { 'a.b': 1, a: { b: 2 } }, 1],
    ['a.b.c', { 'a.b': { c: 1 }, a: { b: { c: 2 } } }, 1],
    ['a.b.c', { a: { 'b.c': 1, b: { c: 2 } } }, 1],
    ['a.b.c', { 'a.b': {}, a: { b: { c: 2 } } }, 2],
    ['meta.@odata.nextLink', { meta: { '@odata.nextLink': '/2' } }, '/2'],
    ['a', { a: null }, null],
    ['a.b', { a: null }, null],
    ['a.b.c', { a: { b: null } }, null],
    ['a.b', { a: 'text' }, undefined],
    ['a.length', { a: 'text' }, undefined],
    ['constructor.name', {}, undefined],
    ['toString', { a: 1 }, undefined],
    ['a', undefined, undefined],
    ['a', [{ a: 1 }], undefined],
  ])('finds by %j in %j: %j', (path, value, found) => {
    expect(read(value, path)).toBe(found);
  });

  it('finds a value below names of any kind', () => {
    const refused = /^\.|\.$|\.\.|__proto__/;
    const name = fc.string({ minLength: 1 }).filter((text) => !refused.test(text));
    const names = fc.array(name, { minLength: 1, maxLength: 5 });
    assertProperty(
      fc.property(names, fc.integer(), (chosen, value) => {
        const nested = chosen.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
        expect(read(nested, chosen.join('.'))).toBe(value);
      }),
    );
  });
});

describe('a path', () => {
  const advice = 'Use names of fields with dots between, as in "data.items".';
  it.each<[unknown, string]>([
    [undefined, `is undefined, not a path. ${advice}`],
    [['a', 'b'], `is ["a","b"], not a path. ${advice}`],
    ['', `is "", in which a name is empty. ${advice}`],
    ['a..b', `is "a..b", in which a name is empty. ${advice}`],
    ['.a', `is ".a", in which a name is empty. ${advice}`],
    ['a.__proto__.b', 'is "a.__proto__.b", but no answer has a "__proto__". Remove it.'],
  ])('is not %j', (text, words) => {
    expect(messageOf(() => parsePath(text, 'items', 'things.x'))).toBe(`things.x: items ${words}`);
  });

  const inner = z.object({ id: z.string(), 'b.c': z.int() });
  it.each<[z.ZodType, string, boolean]>([
    [z.object({ a: inner }), 'a.id', true],
    [z.object({ a: inner }), 'a.b.c', true],
    [z.object({ a: inner.nullable().optional() }), 'a.id', true],
    [z.looseObject({ a: inner }), 'a.id', true],
    [z.looseObject({ a: inner }), 'b', false],
    [z.object({ a: inner }), 'a.uid', false],
    [z.object({ a: inner }), 'a.constructor', false],
    [z.object({ a: z.string() }), 'a.length', false],
    [z.object({ a: z.array(inner) }), 'a.id', false],
    [z.object({ a: z.unknown() }), 'a.id', true],
    [z.union([inner, z.object({ a: inner })]), 'a.id', true],
  ])('of values of a schema is known (%#)', (schema, text, isKnown) => {
    expect(mayHavePath(schema, parsePath(text, 'items', 'things.x'))).toBe(isKnown);
  });

  it('is typed to the fields of a value', () => {
    interface Order {
      id: string;
      total?: number | null;
      lines: { sku: string }[];
      of: { id: bigint; 'x.y': string } | null;
      more: unknown;
    }
    expectTypeOf<PathOf<Order, string | number | bigint>>().toEqualTypeOf<
      'id' | 'total' | 'of.id' | 'of.x.y' | 'more'
    >();
    expectTypeOf<PathOf<Order, readonly unknown[]>>().toEqualTypeOf<'lines' | 'more'>();
    expectTypeOf<PathOf<{ a: string; [name: string]: unknown }>>().toEqualTypeOf<'a'>();
    expectTypeOf<At<Order, 'of.id'>>().toEqualTypeOf<bigint>();
    expectTypeOf<At<Order, 'of.x.y'>>().toEqualTypeOf<string>();
    expectTypeOf<At<Order, 'total'>>().toEqualTypeOf<number | null | undefined>();
    expectTypeOf<Last<'a.b.c'>>().toEqualTypeOf<'c'>();
    expectTypeOf<Last<'a'>>().toEqualTypeOf<'a'>();
  });
});
