/** Schemas of values that JSON cannot carry are refused before a request finds it out. */
import { call, defineComposition, each, fallback, given, lookup, map, operation } from 'plait';
import type { Composition } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compile } from '../../src/plan/compile.ts';
import { loadErrorOf, page, things } from '../support/page.ts';

const Tags = z
  .array(z.string())
  .transform((tags) => new Set(tags))
  .pipe(z.set(z.string()));
const tagged = operation(things, {
  name: 'tagged',
  route: 'GET /tagged',
  response: z.object({ id: z.string(), tags: Tags.optional(), list: z.array(z.string()) }),
});
const linksOf = lookup(things, {
  name: 'linksOf',
  route: 'GET /links',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({
    id: z.string(),
    links: z
      .array(z.unknown())
      .transform(() => new Map())
      .pipe(z.map(z.string(), z.string())),
  }),
});

const advice = 'which JSON cannot carry. Transform it in its schema, or with map().';

describe('a response with something that JSON cannot carry', () => {
  it.each<[string, Composition, string]>([
    [
      'as a field',
      page(() => ({ tags: call(tagged, {}).tags })),
      'the response of an operation.tags has a Set',
    ],
    ['within an object', page(() => call(tagged, {})), 'the response of an operation has a Set'],
    [
      'inside of given',
      page(({ params }) => given(call(linksOf, { id: params.id }), ({ links }) => ({ links }))),
      'the response of an operation.links has a Map',
    ],
    [
      'for each',
      page(() => each(call(tagged, {}).list, (id) => call(linksOf, { id }))),
      'the response of an operation has a Map',
    ],
    [
      'where its failure is tolerated by a value',
      page(() => fallback(call(tagged, {}), null)),
      'the response of an operation has a Set',
    ],
    [
      'of the first of two sources',
      page(() => fallback(call(tagged, {}), () => call(linksOf, { id: '1' }).id)),
      'the response of an operation has a Set',
    ],
    [
      'of the second of two sources',
      page(() => fallback(call(tagged, {}), () => call(linksOf, { id: '1' })).id),
      'the response of an operation has a Map',
    ],
  ])('is refused %s', (_, composition, found) => {
    expect(loadErrorOf(composition)).toBe(`page: ${found}, ${advice}`);
  });

  it('is refused in a declared schema', () => {
    const composition = defineComposition({
      route: 'GET /x',
      response: z.object({
        list: z
          .array(z.string())
          .transform((list) => new Set(list))
          .pipe(z.set(z.string())),
      }),
      compose: () => ({ list: [] }),
    });
    expect(loadErrorOf(composition)).toBe(`page: the response schema has a Set, ${advice}`);
  });

  it('is fine where it is computed with, left out, or transformed', () => {
    const compositions = [
      page(() => ({ id: call(tagged, {}).id })),
      page(() => ({ count: map(call(tagged, {}).tags, (tags) => tags?.size ?? 0) })),
      defineComposition({
        route: 'GET /x',
        response: z.object({ tags: z.set(z.string()).transform((tags) => [...tags]) }),
        compose: () => ({ tags: map(call(tagged, {}), ({ id }): unknown => id) as never }),
      }),
    ];
    for (const composition of compositions)
      expect(() => compile({ name: 'page', composition })).not.toThrow();
  });
});
