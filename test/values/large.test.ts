/** Large values: readers stop at the first misfits, and otherwise give what zod gives. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readerOf } from '../../src/parse.ts';
import type { Parsed } from '../../src/parse.ts';
import { differenceOf } from '../support/difference.ts';
import { assertProperty } from '../support/property.ts';

/** Schemas for one field, with values of which some fit. */
const items: readonly [z.ZodType, readonly unknown[]][] = [
  [z.number().min(0), [1, 0, -1, 'a']],
  [z.string().trim(), ['a', ' a', 1]],
  [z.object({ a: z.number(), b: z.string().optional() }), [{ a: 1 }, { a: 1, b: 'b' }, { a: 'a' }]],
  [z.looseObject({ a: z.number() }), [{ a: 1 }, { a: 1, b: 1 }, {}]],
  [z.array(z.number()), [[1], [1, 2], ['a'], 1]],
  [z.record(z.string().max(1), z.number()), [{ a: 1 }, { ab: 1 }, { a: 'a' }]],
  [z.union([z.number(), z.object({ a: z.string() })]), [1, { a: 'a' }, { a: 1 }, 'a']],
  [z.number().default(7), [1, undefined, 'a']],
  [z.unknown(), [1, null, { a: [1] }]],
];

type Make = (item: z.ZodType) => z.ZodType;

const ofFields: readonly Make[] = [
  (item) => z.record(z.string(), item),
  (item) => z.record(z.string().regex(/^[ab]/), item),
  (item) => z.record(z.string().max(2).toUpperCase(), item),
  (item) => z.record(z.coerce.number(), item),
  (item) => z.looseRecord(z.string().startsWith('a'), item),
  (item) => z.partialRecord(z.enum(['a1', 'b2']), item),
  (item) => z.record(z.string(), item).refine((fields) => Object.keys(fields).length !== 7),
  (item) => z.record(z.string(), item).optional(),
  (item) => z.object({ a1: item }),
  (item) => z.strictObject({ a1: item.optional() }),
  (item) => z.looseObject({ b2: item.optional() }),
  (item) => z.object({ a1: z.unknown().optional() }).catchall(item),
];

const ofLists: readonly Make[] = [
  (item) => z.array(item),
  (item) => z.tuple([item], item),
  (item) => z.array(item).min(3),
  (item) => z.union([z.array(z.boolean()), z.array(item)]),
];

const item = fc.constantFrom(...items).chain(([schema, values]) =>
  fc.record({
    schema: fc.constant(schema),
    // Mostly values that fit.
    values: fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.constant(values[0]) },
        { weight: 2, arbitrary: fc.constant(values[1]) },
        { weight: 1, arbitrary: fc.constantFrom(...values) },
      ),
      { minLength: 1, maxLength: 5 },
    ),
  }),
);

/** More than a value may have before readers stop at the first misfits. */
const parts = 2_100;

const prefixes = fc.constantFrom(['a'], ['a', 'b'], ['a', 'b', 'c'], ['']);

function fieldsOf(values: readonly unknown[], names: readonly string[]): unknown {
  return Object.fromEntries(
    Array.from({ length: parts }, (_, index) => [
      index === 900 ? '__proto__' : `${names[index % names.length]}${index}`,
      values[index % 37 === 36 ? index % values.length : 0],
    ]),
  );
}

function listOf(values: readonly unknown[]): unknown {
  return Array.from(
    { length: parts },
    (_, index) => values[index === 1_500 ? values.length - 1 : 0],
  );
}

const large = item.chain(({ schema, values }) => {
  const made = (from: readonly Make[]) =>
    fc
      .tuple(fc.constantFrom(...from), fc.constantFrom(...from), fc.nat(3))
      .map(([one, other, kind]) => {
        if (kind < 2) return one(schema);
        const both = z.intersection(one(schema), other(schema));
        return kind === 2 ? both : z.intersection(both, one(z.unknown()));
      });
  return fc.oneof(
    fc.record({ schema: made(ofFields), value: prefixes.map((names) => fieldsOf(values, names)) }),
    fc.record({ schema: made(ofLists), value: fc.constant(listOf(values)) }),
  );
});

interface Found {
  readonly path: readonly PropertyKey[];
  readonly code: string;
}

/** A problem without its message, which may list keys. */
function keyOf({ path, code }: Found): string {
  return JSON.stringify([path.map(String), code]);
}

function parsedByZod(schema: z.ZodType, value: unknown): z.ZodSafeParseResult<unknown> | undefined {
  try {
    return schema.safeParse(value);
  } catch {
    return undefined; // the sides of an intersection give different values
  }
}

/** In words; `undefined` if a reader found what it should. */
function differenceFrom(
  wanted: z.ZodSafeParseResult<unknown> | undefined,
  parsed: Parsed,
): string | undefined {
  if (parsed.ok !== (wanted?.success ?? false)) return `is ${String(parsed.ok)}`;
  if (parsed.ok) return differenceOf(wanted?.data, parsed.value, new Set());
  if (wanted?.error === undefined) return undefined;
  if (parsed.problems.length > 50) return 'too many problems';
  const all = new Set(wanted.error.issues.map(keyOf));
  // Of a union, zod names the problems of a single option if all of that could be parsed.
  const own = parsed.problems.filter(({ code }) => code !== 'invalid_union');
  return own.map(keyOf).find((key) => !all.has(key));
}

describe('a large value', () => {
  it('gives what zod gives, or some of its problems', { timeout: 600_000 }, () => {
    const counts = { fit: 0, misfit: 0 };
    assertProperty(
      fc.property(large, ({ schema, value }) => {
        const wanted = parsedByZod(schema, value);
        const parsed = readerOf(schema)(value);
        counts[parsed.ok ? 'fit' : 'misfit'] += 1;
        expect(differenceFrom(wanted, parsed)).toBeUndefined();
      }),
    );
    expect(counts.fit).toBeGreaterThan(30);
    expect(counts.misfit).toBeGreaterThan(30);
  });
});
