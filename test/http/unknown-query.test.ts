/** Query parameters that no schema names: refused, ignored or taken. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import type { UnknownQuery } from '../../src/dsl/composition.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';

const shape = { q: z.string().optional() };

const schemas = {
  none: undefined,
  object: z.object(shape),
  strict: z.strictObject(shape),
  loose: z.looseObject(shape),
  catchall: z.object(shape).catchall(z.coerce.number()),
};

const unknown = {
  in: 'query',
  pointer: '/utm',
  detail: expect.stringMatching(/^is unknown\. Known: /),
};

type Rule = UnknownQuery | undefined;

async function askWith(schema: keyof typeof schemas, own: Rule, ofGateway: Rule, query: string) {
  const given = schemas[schema];
  const page = defineComposition({
    route: 'GET /page',
    ...(given && { query: given }),
    ...(own && { unknownQuery: own }),
    compose: ({ query: got }) => ({ got }),
  });
  const app = await startWithMocks({
    compositions: { page },
    ...(ofGateway && { unknownQuery: ofGateway }),
  });
  return app.get(`/page?${query}`);
}

describe('a query parameter without a schema', () => {
  it.each<[keyof typeof schemas, Rule, Rule, number | object]>([
    ['none', undefined, undefined, 400],
    ['none', 'ignore', undefined, {}],
    ['none', undefined, 'ignore', {}],
    ['object', undefined, undefined, 400],
    ['object', undefined, 'refuse', 400],
    ['object', undefined, 'ignore', { q: 'a' }],
    ['object', 'ignore', undefined, { q: 'a' }],
    ['object', 'ignore', 'refuse', { q: 'a' }],
    ['object', 'refuse', 'ignore', 400],
    ['strict', undefined, undefined, 400],
    ['strict', undefined, 'ignore', 400],
    ['loose', undefined, undefined, { q: 'a', utm: '1' }],
    ['loose', undefined, 'refuse', { q: 'a', utm: '1' }],
    ['loose', undefined, 'ignore', { q: 'a', utm: '1' }],
    ['catchall', undefined, undefined, { q: 'a', utm: 1 }],
  ])('of %s, with %s of the composition and %s of the gateway: %j', async (...row) => {
    const [schema, own, ofGateway, expected] = row;
    const query = schema === 'none' ? 'utm=1' : 'q=a&utm=1';
    const { status, json } = await askWith(schema, own, ofGateway, query);
    expect({ status, got: json.got ?? json.errors ?? {} }).toEqual(
      typeof expected === 'number'
        ? { status: expected, got: [unknown] }
        : { status: 200, got: expected },
    );
  });

  it('that is taken is a list where it is given twice', async () => {
    const { json } = await askWith('loose', undefined, undefined, 'x=1&x=2&y=3');
    expect(json.got).toEqual({ x: ['1', '2'], y: '3' });
  });

  it('does not soften what is wrong with those that have one', async () => {
    expect((await askWith('object', 'ignore', undefined, 'q=a&q=b&utm=1')).json.errors).toEqual([
      { in: 'query', pointer: '/q', detail: 'is given more than once' },
    ]);
  });

  it.each([
    ['__proto__=x', '/__proto__', 'is not a valid name of a parameter'],
    [
      Array.from({ length: 101 }, (_, index) => `a${index}=1`).join('&'),
      '',
      'has more than 100 parameters that have no schema',
    ],
  ])('that no object can take is refused: %.12s', async (query, pointer, detail) => {
    const { status, json } = await askWith('loose', undefined, undefined, query);
    expect({ status, errors: json.errors }).toEqual({
      status: 400,
      errors: [{ in: 'query', pointer, detail }],
    });
  });

  it('is ignored however many there are', async () => {
    const query = Array.from({ length: 500 }, (_, index) => `a${index}=1`).join('&');
    expect((await askWith('object', 'ignore', undefined, query)).status).toBe(200);
  });
});
