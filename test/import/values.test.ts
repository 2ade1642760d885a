import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valuesOf } from '../../tools/import-trial/values.ts';
import { assertProperty } from '../support/property.ts';
import { answering, load } from './_load.ts';

const bounds = fc.tuple(fc.nat(3), fc.nat(3)).map(([least, more]) => [least, least + more]);

const leaf = fc.oneof(
  bounds.map(([minLength, maxLength]) => ({ type: 'string', minLength, maxLength })),
  bounds.map(([minimum, maximum]) => ({ type: 'integer', minimum, maximum })),
  fc
    .constantFrom('date-time', 'date', 'email', 'uri', 'uuid', 'ipv4', 'ipv6', 'none')
    .map((format) => ({ type: 'string', format })),
  fc.constantFrom<object>(
    { type: 'string', pattern: '^[a-z]{2}/\\d+$' },
    { type: 'number', multipleOf: 0.25 },
    { type: 'boolean' },
    { enum: ['a', "b'", 'c\n'] },
    { enum: [1, 'one'] },
    { const: false },
    { type: ['string', 'null'] },
    { type: ['integer', 'boolean'] },
    {},
  ),
);

const names = fc.constantFrom('a', 'b-c', 'd e', '0', 'class', 'self');

/** Schemas of any depth; `#/components/schemas/Self` is the whole of them. */
const { schema } = fc.letrec<{ schema: object; object: object }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('object'),
    fc
      .tuple(tie('schema'), bounds)
      .map(([items, [minItems, maxItems]]) => ({ type: 'array', items, minItems, maxItems })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((oneOf) => ({ oneOf })),
    tie('schema').map((one) => ({ anyOf: [one, { type: 'null' }] })),
    fc.tuple(tie('object'), names, tie('schema')).map(([one, name, field]) => ({
      allOf: [one, { type: 'object', properties: { [`own ${name}`]: field } }],
    })),
  ),
  object: fc
    .tuple(fc.dictionary(names, tie('schema'), { maxKeys: 4 }), fc.boolean(), fc.boolean())
    .map(([properties, isRequired, isRecursive]) => ({
      type: 'object',
      properties: {
        ...properties,
        ...(isRecursive && { again: { $ref: '#/components/schemas/Self' } }),
      },
      ...(isRequired && { required: Object.keys(properties) }),
    })),
}));

describe('the zod of a JSON Schema', () => {
  it('accepts every value that fits the schema', { timeout: 120_000 }, async () => {
    const cases = schema.chain((one) => {
      const root = { components: { schemas: { Self: one } } };
      return fc.tuple(fc.constant(one), fc.array(valuesOf(one, root), { maxLength: 5 }));
    });
    await assertProperty(
      fc.asyncProperty(cases, async ([one, values]) => {
        const reference = { $ref: '#/components/schemas/Self' };
        const { operations, text } = await load(answering(reference, { Self: one }));
        for (const value of values) {
          const parsed = operations['get']?.response.safeParse(value);
          expect(parsed?.error, `${JSON.stringify(value)} by ${text}`).toBeUndefined();
        }
      }),
    );
  });
});

describe('the values of a JSON Schema', () => {
  it('have each field from the part that says which values it has', () => {
    const text = { type: 'string', minLength: 1 };
    const one = { type: 'object', required: ['a', 'b'] };
    const allOf = [
      { ...one, properties: { a: { enum: ['A'] }, b: text } },
      { ...one, properties: { a: text, b: { enum: ['B'] } } },
    ];
    for (const parts of [allOf, allOf.toReversed()])
      expect(fc.sample(valuesOf({ allOf: parts }, {}), 1)).toEqual([{ a: 'A', b: 'B' }]);
  });
});
