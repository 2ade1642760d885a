/**
 * Generated readers, and JSON that is read by one schema only, against zod and the careful parser.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseJson } from '../src/json.ts';
import { parseJsonFor, readerOf } from '../src/parse.ts';
import type { Parsed } from '../src/parse.ts';
import { isClosed, isGenerable } from '../src/schema-traits.ts';
import { containersOf, differenceOf } from './support/difference.ts';
import { closedSamples, generableSamples, samples, valuesOf } from './support/schemas.ts';
import type { Sample } from './support/schemas.ts';

/** Schemas that are tried, with 50 values each. `FUZZ_RUNS=20000` makes a million values. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const timeout = 3_600_000;

describe('a reader', () => {
  it.each([
    ['all kinds', samples],
    ['kinds that functions are generated for', generableSamples],
  ])('gives what zod gives, for schemas of %s', { timeout }, (_, from) => {
    const counts = { fit: 0, misfit: 0 };
    fc.assert(
      fc.property(casesFrom(from), ([{ schema }, values]) => {
        const read = readerOf(schema);
        for (const value of values) {
          const parsed = read(value);
          counts[parsed.ok ? 'fit' : 'misfit'] += 1;
          expectSame(parsedByZod(schema, value), parsed, value);
        }
      }),
      { numRuns },
    );
    // Otherwise little would have been compared.
    expect(counts.fit).toBeGreaterThan(numRuns * 5);
    expect(counts.misfit).toBeGreaterThan(numRuns * 5);
  });

  it('is made once for each schema', () => {
    const schema = z.object({ id: z.string() });
    expect(readerOf(schema)).toBe(readerOf(schema));
    expect(readerOf(z.object({ id: z.string() }))).not.toBe(readerOf(schema));
  });

  it('runs functions of the author once, whether the value fits or not', () => {
    const asked: unknown[] = [];
    const schema = z.object({ id: z.string().refine((id) => asked.push(id) > 0), n: z.number() });
    readerOf(schema)({ id: 'a', n: 1 });
    readerOf(schema)({ id: 'b', n: 'x' });
    expect(asked).toEqual(['a', 'b']);
  });
});

describe('a schema that functions are generated for', () => {
  it.each<[string, z.ZodType]>([
    ['objects of plain fields', z.object({ id: z.string(), at: z.iso.datetime().nullable() })],
    ['loose ones and strict ones', z.looseObject({ a: z.strictObject({ n: z.int().optional() }) })],
    ['lists, tuples and records', z.array(z.tuple([z.record(z.string(), z.boolean())]))],
    ['unions', z.union([z.literal('a'), z.number().min(1), z.enum(['x', 'y'])])],
  ])('may have %s', (_, schema) => {
    expect(isGenerable(schema)).toBe(true);
  });

  it.each<[string, z.ZodType]>([
    ['a refinement', z.object({ id: z.string().refine(() => true) })],
    ['a check of its own', z.array(z.string().check(() => undefined))],
    ['a format of its own', z.stringFormat('even', (text) => text.length % 2 === 0)],
    ['a transformation', z.string().transform((text) => text.length)],
    ['one that keeps the type', z.string().trim()],
    ['a preprocessing', z.preprocess((value) => value, z.string())],
    ['a default, which may be a function', z.string().default(() => 'a')],
    ['a catch', z.string().catch('a')],
    ['a coercion', z.coerce.number()],
    ['an intersection', z.intersection(z.object({}), z.object({}))],
    ['itself as a part', tree()],
  ])('is left to zod itself when it has %s', (_, schema) => {
    expect(isGenerable(schema)).toBe(false);
  });
});

describe('JSON that one schema reads', () => {
  it('gives what carefully parsed JSON gives, whatever else is in it', { timeout }, () => {
    let fit = 0;
    fc.assert(
      fc.property(casesFrom(closedSamples), ([{ schema }, values]) => {
        const read = readerOf(schema);
        for (const value of values) {
          const text = JSON.stringify(value, toJson) ?? 'null';
          const careful = read(parseJson(text));
          fit += careful.ok ? 1 : 0;
          expectSame(withoutWords(careful), read(parseJsonFor(schema, text)), undefined);
        }
      }),
      { numRuns },
    );
    expect(fit).toBeGreaterThan(numRuns * 5);
  });

  it('may be nested deeply where a closed schema does not look', () => {
    const closed = z.object({ id: z.string() });
    const text = `{"id":"a","more":${'['.repeat(1_000)}${']'.repeat(1_000)}}`;
    expect(readerOf(closed)(parseJsonFor(closed, text))).toEqual({ ok: true, value: { id: 'a' } });
    expect(() => parseJsonFor(z.looseObject({ id: z.string() }), text)).toThrow(SyntaxError);
  });

  it('does not fit when it is nested deeply where a closed schema does look', () => {
    const closed = z.object({ id: z.string() });
    const text = `{"id":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(readerOf(closed)(parseJsonFor(closed, text))).toMatchObject({ ok: false });
  });

  it('may begin with a byte order mark', () => {
    expect(parseJsonFor(z.object({ a: z.number() }), '\uFEFF{"a":1}')).toEqual({ a: 1 });
  });
});

describe('a closed schema', () => {
  it.each<[string, z.ZodType]>([
    ['objects', z.object({ a: z.object({ b: z.string().min(1) }) })],
    ['lists and tuples', z.array(z.tuple([z.string()], z.number()))],
    ['unions', z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') })])],
    ['wrappers', z.object({ a: z.string().nullish().default('x').readonly() })],
    ['a transformation of what was parsed', z.object({ a: z.string() }).transform(({ a }) => a)],
    ['a check of what was parsed', z.object({ a: z.string() }).refine(() => true)],
  ])('may have %s', (_, schema) => {
    expect(isClosed(schema)).toBe(true);
  });

  it.each<[string, z.ZodType]>([
    ['keeps unknown fields', z.looseObject({})],
    ['refuses unknown fields', z.strictObject({})],
    ['parses unknown fields', z.object({}).catchall(z.string())],
    ['holds something of any kind', z.object({ a: z.array(z.unknown()) })],
    ['has fields of any name', z.record(z.string(), z.string())],
    ['transforms its input', z.preprocess((value) => value, z.string())],
    ['makes text of an object', z.object({ a: z.coerce.string() })],
    ['hands its input to a function', z.string().catch(({ value }) => String(value))],
    ['is a part of itself', tree()],
    ['names a field that is dropped', z.object({ constructor: z.string() })],
    ['names a field that is called like the prototype', z.object({ ['__proto__']: z.string() })],
  ])('is none when it %s', (_, schema) => {
    expect(isClosed(schema)).toBe(false);
  });
});

function casesFrom(from: fc.Arbitrary<Sample>): fc.Arbitrary<[Sample, unknown[]]> {
  const size = { minLength: 50, maxLength: 50 };
  return from.chain((one) => fc.tuple(fc.constant(one), fc.array(valuesOf(one), size)));
}

/** @throws when `found` is not exactly what is `wanted`. */
function expectSame(wanted: unknown, parsed: Parsed, input: unknown): void {
  const found = withoutWords(parsed);
  const place = differenceOf(wanted, found, containersOf(input));
  if (place === undefined) return;
  throw new Error(`differs at "${place}": ${fc.stringify({ input, wanted, found })}`);
}

/** The same as a reader is to give, by the schema itself. */
function parsedByZod(schema: z.ZodType, value: unknown): unknown {
  try {
    const { success, data, error } = schema.safeParse(value);
    if (success) return { ok: true, value: data };
    const problems = error?.issues.map(({ path, message, code }) => ({ path, message, code }));
    return { ok: false, problems };
  } catch (cause) {
    return {
      ok: false,
      problems: [{ path: [], message: 'its schema threw', code: 'thrown' }],
      cause,
    };
  }
}

/** `words` and `keys` are for traces: they are made of the other parts of a problem, by us. */
function withoutWords(parsed: Parsed): unknown {
  if (parsed.ok) return parsed;
  const problems = parsed.problems.map(({ path, message, code }) => ({ path, message, code }));
  return { ...parsed, problems };
}

/** For `JSON.stringify`, which has no form for a `bigint`. */
function toJson(_: string, part: unknown): unknown {
  return typeof part === 'bigint' ? Number(part) : part;
}

/** A schema that is a part of itself. */
function tree(): z.ZodType {
  const Tree = z.object({
    get parts() {
      return z.array(Tree);
    },
  });
  return Tree;
}
