import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../src/dsl/declare-lookup.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
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
          'z.string(), or a transform that gives text.',
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
