import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../src/dsl/declare-lookup.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import type { QueryStyle } from '../../src/dsl/query-style.ts';
import { defineService } from '../../src/dsl/service.ts';

const things = defineService({ name: 'things', url: 'http://things' });
const item = z.object({ id: z.string() });

/** Declares an operation and a lookup with this query parameter. */
const declarations = {
  getX: (filter: z.ZodType) =>
    operation(things, { route: 'GET /x', query: z.object({ filter }), response: item }),
  byId: (filter: z.ZodType) =>
    lookup(things, {
      name: 'byId',
      route: 'GET /x',
      keys: { query: 'ids' },
      by: 'id',
      item,
      query: z.object({ filter }),
    }),
};

describe('a query parameter of an operation', () => {
  it.each<[string, z.ZodType]>([
    ['an object', z.object({ a: z.string() })],
    ['an object', z.object({ a: z.string() }).optional()],
    ['a record', z.record(z.string(), z.string())],
    ['a set', z.set(z.string()).nullable()],
    ['a map', z.map(z.string(), z.string())],
    ['a list whose items are each an object', z.array(z.object({ a: z.string() }))],
    ['a list whose items are each an array', z.array(z.array(z.string()))],
    [
      'an object',
      z
        .string()
        .pipe(z.transform(() => ({})))
        .pipe(z.object({})),
    ],
  ])('is refused if it is %s', (kind, schema) => {
    for (const [name, declare] of Object.entries(declarations)) {
      expect(() => declare(schema)).toThrow(
        `things.${name}: query.filter is ${kind}, which cannot be written into a URL. Use ` +
          'z.string(), or a transform that gives text',
      );
    }
  });

  it.each<[string, z.ZodType]>([
    ['a text', z.string()],
    ['a number', z.number().optional()],
    ['a bigint', z.bigint()],
    ['a boolean', z.boolean()],
    ['a date', z.date()],
    ['a list of dates', z.array(z.date())],
    ['a tuple', z.tuple([z.string(), z.number()])],
    ['an object made into text', z.object({ a: z.string() }).transform((o) => JSON.stringify(o))],
    ['a union', z.union([z.string(), z.object({ a: z.string() })])],
    ['anything', z.unknown()],
  ])('may be %s', (_, schema) => {
    for (const declare of Object.values(declarations)) expect(() => declare(schema)).not.toThrow();
  });
});

function styled(query: z.ZodObject, queryStyle: QueryStyle) {
  return operation(things, { route: 'GET /x', query, response: item, queryStyle });
}

describe('a query parameter that is an object', () => {
  const text = z.string();
  const deep = (levels: number): z.ZodType =>
    levels === 0 ? text : z.object({ a: deep(levels - 1) });
  const Nested = z.object({
    name: text,
    get inside() {
      return Nested.optional();
    },
  });

  it.each<[string, z.ZodType]>([
    ['an object', z.object({ a: text, b: z.array(z.number()) })],
    ['an object in objects', deep(5)],
    ['a record', z.record(text, z.object({ a: text }))],
    ['an object that may contain itself', Nested],
  ])('may be %s, if its style says how that is written', (_, filter) => {
    expect(styled(z.object({ filter }), { objects: 'dots' }).queryStyle).toEqual({
      arrays: 'repeat',
      objects: 'dots',
      spaces: '+',
    });
    expect(() => styled(z.object({ filter }), { arrays: 'comma' })).toThrow(
      'which cannot be written into a URL. Use z.string(), or a transform that gives text, or ' +
        'queryStyle: { objects: … }.',
    );
  });

  it.each<[string, z.ZodObject, QueryStyle, string]>([
    [
      'too deep',
      z.object({ f: deep(6) }),
      { objects: 'brackets' },
      'query.f.a.a.a.a.a is nested deeper than 5 levels, which no query can carry. Send it as a body.',
    ],
    [
      'in a list',
      z.object({ f: z.object({ g: z.array(z.object({ a: text })) }) }),
      { objects: 'brackets' },
      'query.f.g is a list whose items are each an object, which cannot be written into a URL. Use ' +
        'z.string(), or a transform that gives text.',
    ],
    [
      'with a set',
      z.object({ f: z.object({ g: z.set(text) }) }),
      { objects: 'dots' },
      'query.f.g is a set, which cannot be written into a URL. Use z.string(), or a transform that ' +
        'gives text.',
    ],
    [
      'with a name like that of a nested one',
      z.object({ 'a.b': text }),
      { objects: 'dots' },
      'query has "a.b", but queryStyle writes "." between names. Use names without them, in lists ' +
        'and objects.',
    ],
    [
      'with a name like that of a list',
      z.object({ 'a[]': z.array(text) }),
      { arrays: 'brackets' },
      'query has "a[]", but queryStyle writes "[", "]" between names. Use names without them, in ' +
        'lists and objects.',
    ],
    [
      'with a field like that of a nested one',
      z.object({ a: z.object({ 'b]': text }) }),
      { objects: 'brackets' },
      'query.a has "b]", but queryStyle writes "[", "]" between names. Use names without them, in ' +
        'lists and objects.',
    ],
  ])('is refused %s', (_, query, style, message) => {
    expect(() => styled(query, style)).toThrow(`things.getX: ${message}`);
  });
});
