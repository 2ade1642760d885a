/** Schemas that no text can ever fit, and those that look like it. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../src/dsl/composition.ts';
import { compileAll } from '../src/plan/compile.ts';
import { segmentProblem } from '../src/path-segment.ts';
import { textMisfit } from '../src/text-fit.ts';

const length = (text: string): number => text.length;

describe('no text can ever fit', () => {
  it.each<[string, z.ZodType, string]>([
    ['a text that is too short', z.string().min(5).max(3), 'its bounds leave no string'],
    ['a text of two lengths', z.string().length(5).length(3), 'its bounds leave no string'],
    [
      'a prefix that is too long',
      z.string().startsWith('order-').max(3),
      'its bounds leave no string',
    ],
    [
      'a part that is too long',
      z.string().includes('abcd').length(3),
      'its bounds leave no string',
    ],
    [
      'a number between bounds in the wrong order',
      z.coerce.number().min(5).max(3),
      'its bounds leave no number',
    ],
    [
      'a positive number below 0',
      z.coerce.number().positive().negative(),
      'its bounds leave no number',
    ],
    ['a number above and not above', z.coerce.number().gt(5).max(5), 'its bounds leave no number'],
    [
      'a whole number between two',
      z.coerce.number().int().min(0.2).max(0.8),
      'its bounds leave no number',
    ],
    [
      'a bigint between bounds in the wrong order',
      z.coerce.bigint().min(5n).max(3n),
      'its bounds leave no bigint',
    ],
    [
      'a date before it begins',
      z.coerce.date().min(new Date('2027-01-01')).max(new Date('2026-01-01')),
      'its bounds leave no date',
    ],
    ['a list without items', z.array(z.string()).max(0), 'its bounds leave no array'],
    ['a list that is too short', z.array(z.string()).min(3).max(2), 'its bounds leave no array'],
    ['a tuple without items', z.tuple([]), 'its list has no items'],
    [
      'a list of what fits nothing',
      z.array(z.string().min(2).max(1)),
      'its bounds leave no string',
    ],
    [
      'a tuple of what fits nothing',
      z.tuple([z.coerce.number().min(2).max(1)]),
      'its bounds leave no number',
    ],
    ['an optional one of these', z.string().min(5).max(3).optional(), 'its bounds leave no string'],
    [
      'one of these with a default',
      z.string().min(5).max(3).default('abcd'),
      'its bounds leave no string',
    ],
    [
      'one of these with a transform',
      z.string().min(5).max(3).transform(length),
      'its bounds leave no string',
    ],
    [
      'one of these behind a pipe',
      z.string().pipe(z.string().min(5).max(3)),
      'its bounds leave no string',
    ],
    ['a lazy one of these', z.lazy(() => z.string().min(5).max(3)), 'its bounds leave no string'],
    [
      'a union of these and of numbers',
      z.union([z.number(), z.string().min(5).max(3)]),
      'its bounds leave no string',
    ],
    [
      'an intersection with one',
      z.string().and(z.string().min(5).max(3)),
      'its bounds leave no string',
    ],
    [
      'a text piped into a number',
      z.string().pipe(z.number() as never),
      'it pipes a string into a number',
    ],
    [
      'a text piped into a boolean',
      z.string().pipe(z.boolean().optional() as never),
      'it pipes a string into a boolean',
    ],
    [
      'a text piped into a list',
      z.string().pipe(z.array(z.string()) as never),
      'it pipes a string into an array',
    ],
    [
      'a number piped into a text',
      z.coerce.number().pipe(z.string() as never),
      'it pipes a number into a string',
    ],
    [
      'a date piped into a text',
      z.coerce.date().pipe(z.iso.date() as never),
      'it pipes a date into a string',
    ],
    [
      'a boolean piped into a text',
      z.stringbool().pipe(z.string() as never),
      'it pipes a boolean into a string',
    ],
    [
      'a list piped into an object',
      z.array(z.string()).pipe(z.object({}) as never),
      'it pipes an array into an object',
    ],
    [
      'a literal that is refused',
      z.literal('a').refine(() => false),
      'it refuses all of its values',
    ],
    [
      'names of which none is left',
      z.enum(['a', 'b']).refine((text) => text === ('c' as string)),
      'it refuses all of its values',
    ],
    [
      'names piped into a number',
      z.enum(['1', '2']).pipe(z.number() as never),
      'it refuses all of its values',
    ],
    [
      'a literal made into what does not fit',
      z.literal('a').transform(length).pipe(z.number().min(2)),
      'it refuses all of its values',
    ],
  ])('%s', (_, schema, misfit) => {
    expect(textMisfit(schema)).toBe(misfit);
    expect(schema.safeParse('abcd').success && schema.safeParse(['a']).success).toBe(false);
  });

  it.each<[string, z.ZodType]>([
    ['an empty literal', z.literal('')],
    ['dots', z.enum(['.', '..'])],
  ])('in a path: %s', (_, schema) => {
    expect(textMisfit(schema, (text) => segmentProblem(text) === undefined)).toBe(
      'none of its values can arrive',
    );
    expect(textMisfit(schema)).toBeUndefined();
  });
});

describe('some text may fit', () => {
  it.each<[string, z.ZodType]>([
    ['a text', z.string()],
    ['a text of one length', z.string().min(3).max(3)],
    ['an empty text', z.string().max(0)],
    ['a prefix of the whole length', z.string().startsWith('abc').max(3)],
    ['a trimmed text', z.string().trim().min(1).max(3)],
    [
      'a text that is cut before its bounds',
      z
        .string()
        .min(5)
        .overwrite((text) => text.slice(0, 2))
        .max(3),
    ],
    ['a pattern', z.string().regex(/^x$/)],
    ['a format', z.uuid()],
    ['a refinement that its author knows', z.string().refine(() => false)],
    [
      'a table',
      z
        .string()
        .transform((code) => ({ magic: 1 })[code])
        .pipe(z.number()),
    ],
    ['a preprocessed number', z.preprocess(Number, z.number())],
    ['a codec', z.codec(z.string(), z.number(), { decode: Number, encode: String })],
    ['a boolean as text', z.stringbool().pipe(z.boolean())],
    ['text piped into what coerces', z.string().pipe(z.coerce.number())],
    ['text piped into anything', z.string().pipe(z.unknown() as never)],
    ['text piped into names', z.string().pipe(z.enum(['a', 'b']))],
    ['text piped into a union', z.string().pipe(z.union([z.number(), z.string()]) as never)],
    [
      'text split into a list',
      z
        .string()
        .transform((text) => text.split(','))
        .pipe(z.array(z.string()).max(0)),
    ],
    ['just one number', z.coerce.number().min(5).max(5)],
    ['a number without bounds', z.coerce.number()],
    ['a whole number within bounds', z.coerce.number().int().gt(0).lt(2)],
    ['a number between neighbours', z.coerce.number().gt(0).lt(1)],
    [
      'a large bigint',
      z.coerce
        .bigint()
        .gt(2n ** 64n)
        .lt(2n ** 64n + 2n),
    ],
    ['a date within a day', z.coerce.date().min(new Date(0)).max(new Date(1))],
    ['a list of just one', z.array(z.string()).length(1)],
    ['a tuple with a rest', z.tuple([]).rest(z.string())],
    ['what falls back on something', z.string().min(5).max(3).catch('x')],
    ['a union with one way', z.union([z.string().min(5).max(3), z.literal('all')])],
    ['names of which one is left', z.enum(['a', 'b']).refine((text) => text === 'b')],
    ['a recursive one', recursive()],
    ['any JSON', z.json()],
    ['anything', z.unknown()],
  ])('%s', (_, schema) => {
    expect(textMisfit(schema)).toBeUndefined();
  });
});

/** `a`, or a union of it with itself. */
function recursive(): z.ZodType {
  const schema: z.ZodType = z.lazy(() => z.union([z.string(), schema]));
  return schema;
}

function messageFor(config: object): string {
  const composition = defineComposition({
    route: 'GET /things/:kind',
    compose: () => ({ ok: true }),
    ...config,
  });
  const { errors } = compileAll([{ name: 'things', composition }]);
  return errors.map(({ message }) => message).join('\n');
}

describe('a composition that has such a schema', () => {
  const impossible = z.coerce.number().min(5).max(3);

  it.each([
    [
      { params: z.object({ kind: impossible }) },
      'params.kind can never fit: its bounds leave no number',
    ],
    [
      { query: z.object({ page: impossible }) },
      'query.page can never fit: its bounds leave no number',
    ],
    [
      { headers: z.object({ page: impossible }) },
      'headers.page can never fit: its bounds leave no number',
    ],
    [
      { params: z.object({ kind: z.literal('..') }) },
      'params.kind can never fit: none of its values can arrive',
    ],
  ])('is refused at load', (config, problem) => {
    expect(messageFor(config)).toBe(`things: ${problem}. Change its schema.`);
  });
});
