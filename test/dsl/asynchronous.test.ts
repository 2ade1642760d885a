/** Schemas that would have to be waited for are refused where they are declared. */
import { defineComposition, defineService, lookup, operation } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const shop = defineService({ name: 'shop', url: 'http://shop' });
const later = z.string().refine(async () => true);

const asynchronous: [string, z.ZodType][] = [
  ['a refinement', later],
  ['a transformation', z.string().transform(async (text) => text)],
  ['a preprocessing', z.preprocess(async (text) => text, z.string())],
  ['a promise', z.promise(z.string())],
  ['a custom schema', z.custom<string>(async () => true)],
  ['a part of a list', z.array(z.object({ a: later.optional() }))],
  ['a part of a union', z.union([z.number(), z.record(z.string(), later)])],
  ['something lazy', z.lazy(() => later)],
];

const advice =
  'has an asynchronous function or a promise in its schema, but values are parsed at once. Make ' +
  'the function synchronous; ask services by call() in compose().';

describe('an asynchronous schema', () => {
  it.each(asynchronous)('is refused as the response of an operation: %s', (_, response) => {
    expect(() => operation(shop, { name: 'get', route: 'GET /a', response })).toThrow(
      `shop.get: response ${advice}`,
    );
  });

  it('is refused as any other option', () => {
    const response = z.unknown();
    const route = 'POST /a';
    expect(() => operation(shop, { name: 'post', route, body: later, response })).toThrow(
      `shop.post: body ${advice}`,
    );
    const item = z.object({ id: later });
    expect(() =>
      lookup(shop, { name: 'of', route: 'GET /a', keys: { query: 'ids' }, by: 'id', item }),
    ).toThrow(`shop.of: item ${advice}`);
    expect(() => defineComposition({ route, body: later, compose: () => ({}) })).toThrow(
      `defineComposition POST /a: body ${advice}`,
    );
  });

  it('is not seen where there is none', () => {
    const Tree = z.object({
      get parts() {
        return z.array(Tree);
      },
    });
    const schema = z.union([Tree, z.string().transform(Number), z.email().refine(() => true)]);
    expect(() => operation(shop, { route: 'GET /a', response: schema })).not.toThrow();
  });
});
