/** What a request costs of a rate limit: the most calls that its composition makes. */
import { call, defineComposition, each, fallback, given, lookup, operation, pages } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compile } from '../../src/plan/compile.ts';
import { mostCalls } from '../../src/plan/rate-limit.ts';
import { getThing, loadErrorOf, page, thingOf, things } from '../support/page.ts';

const one = { by: 'id', item: z.object({ id: z.string() }) } as const;
const single = lookup(things, {
  ...one,
  name: 'single',
  single: 'GET /single/:id',
});
const tens = lookup(things, {
  ...one,
  name: 'tens',
  route: 'GET /tens',
  keys: { query: 'ids' },
  max: 10,
});
const listThings = operation(things, {
  name: 'listThings',
  route: 'GET /listed',
  query: z.object({ page: z.number().optional() }),
  response: z.object({ items: z.array(z.object({ id: z.string() })) }),
});

type Compose = Parameters<typeof page>[0];

const rows: [what: string, calls: number, compose: Compose][] = [
  ['nothing', 0, () => ({ a: 1 })],
  ['a call', 1, ({ params }) => ({ a: call(getThing, { id: params.id }) })],
  [
    'the same call twice, which is made once but could not be known to be',
    2,
    ({ params, headers }) => ({
      a: call(getThing, { id: params.id }),
      b: call(getThing, { id: headers.tag }),
    }),
  ],
  [
    'a call for each item',
    26,
    ({ params }) => {
      const { tags } = call(getThing, { id: params.id });
      return each(tags, ({ label }) => call(getThing, { id: label }), { max: 25 });
    },
  ],
  [
    'a lookup for each item, in batches',
    1 + 3,
    ({ params }) => {
      const { tags } = call(getThing, { id: params.id });
      return each(tags, ({ label }) => call(tens, { id: label }), { max: 25 });
    },
  ],
  [
    'a lookup for each item, by itself',
    1 + 25,
    ({ params }) => {
      const { tags } = call(getThing, { id: params.id });
      return each(tags, ({ label }) => call(single, { id: label }), { max: 25 });
    },
  ],
  [
    'lookups of items that have their own pace',
    1 + 25 + 25,
    ({ params }) => {
      const { tags } = call(getThing, { id: params.id });
      return each(tags, ({ label }) => call(tens, { id: call(getThing, { id: label }).id }), {
        max: 25,
      });
    },
  ],
  [
    'lists in lists',
    1 + 5 + 5 * 4,
    ({ params }) => {
      const { tags } = call(getThing, { id: params.id });
      return each(
        tags,
        ({ label }) => {
          const inner = call(getThing, { id: label });
          return each(inner.tags, (tag) => call(getThing, { id: tag.label }), { max: 4 });
        },
        { max: 5 },
      );
    },
  ],
  [
    'pages',
    7,
    () => ({
      a: pages(listThings, {}, { items: 'items', next: { page: 'page' }, maxPages: 7 }),
    }),
  ],
  [
    'what is present, and second sources',
    3,
    ({ params }) => {
      const thing = call(getThing, { id: params.id });
      return {
        a: given(thing.owner, ({ name }) => call(getThing, { id: name })),
        b: fallback(thing, () => call(thingOf, { id: params.id })),
      };
    },
  ],
];

describe('the most calls of a composition', () => {
  it.each(rows)('counts %s: %i', (_, calls, compose) => {
    expect(mostCalls(compile({ name: 'page', composition: page(compose) }).root)).toBe(calls);
  });
});

/** A composition that makes two calls. */
const limited = (limit: number) =>
  defineComposition({
    route: 'GET /pages/:id',
    rateLimit: { limit, windowS: 60, cost: 'calls' },
    compose: ({ params }) => ({
      a: call(getThing, { id: params.id }),
      b: call(thingOf, { id: params.id }),
    }),
  });

describe('the cost of a request', () => {
  it('is the number of its calls', () => {
    expect(compile({ name: 'page', composition: limited(2) }).rateLimit).toEqual({
      limit: 2,
      windowS: 60,
      by: 'principal',
      cost: 2,
    });
  });

  it('may not be more than the limit', () => {
    expect(loadErrorOf(limited(1))).toBe(
      'page: a request costs 2, since it may make as many calls, but rateLimit.limit is 1, so ' +
        'none would be served. Raise the limit, or lower the cost.',
    );
  });

  it('is 1 where nothing is called', () => {
    const composition = defineComposition({
      route: 'GET /pages',
      rateLimit: { limit: 5, windowS: 60, cost: 'calls' },
      compose: () => ({ a: 1 }),
    });
    expect(compile({ name: 'page', composition }).rateLimit?.cost).toBe(1);
  });
});
