/**
 * Schemas made by fast-check, each with values: some that fit, some that nearly do, some of any
 * kind.
 */
import * as fc from 'fast-check';
import { z } from 'zod';
import { isClosed, isGenerable } from '../../src/schema-traits.ts';

/** A schema and values that mostly fit it. */
export interface Sample {
  readonly schema: z.ZodType;
  readonly fitting: fc.Arbitrary<unknown>;
  readonly [fc.toStringMethod]: () => string;
}

/** Field names, many of which every JavaScript object has already. */
const names =
  'a b id kind 0 a-b toString hasOwnProperty constructor prototype __proto__ valueOf length';
const name = fc.constantFrom('', ...names.split(' '));

const key = fc.oneof(name, fc.string({ maxLength: 3 }));
const text = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('a', 'b', '7', 'true', ' x '));
const number = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.double(),
  fc.constantFrom(-0, 0.1, 1e21, 2 ** 31, 2 ** 53, Number.NaN, Infinity, -Infinity),
);

/** Values of any kind, such as no schema expects. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.oneof(text, number, fc.constantFrom(null, undefined, true, false)) },
  { weight: 2, arbitrary: fc.array(fc.oneof(text, number), { maxLength: 3 }) },
  {
    weight: 2,
    arbitrary: objectOf(fc.array(fc.tuple(key, fc.oneof(text, number)), { maxLength: 3 })),
  },
  fc.anything({
    maxDepth: 2,
    maxKeys: 3,
    key,
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
);

/** Own fields, also for names as `__proto__`. */
function objectOf(entries: fc.Arbitrary<readonly (readonly [string, unknown])[]>) {
  return entries.map((own): unknown => Object.fromEntries(own));
}

function sample(schema: z.ZodType, fitting: fc.Arbitrary<unknown>): Sample {
  return { schema, fitting, [fc.toStringMethod]: () => wordsFor(schema) };
}

/** A schema as messages show it: its kind, and in brackets those of its parts. */
function wordsFor(schema: object): string {
  const { def } = schema as { def: Record<string, unknown> }; // every schema has one
  const parts = Object.entries(def).flatMap(([part, value]) => {
    if (part === 'type' || part === 'check' || part === 'error') return [];
    if (Array.isArray(value)) return [`${part}: [${value.map(wordsForPart).join(', ')}]`];
    if (part !== 'shape') return [`${part}: ${wordsForPart(value)}`];
    const fields = Object.entries(value as object).map(
      ([field, one]) => `${field}: ${wordsForPart(one)}`,
    );
    return [`{ ${fields.join(', ')} }`];
  });
  return `${String(def['type'] ?? def['check'])}(${parts.join(', ')})`;
}

function wordsForPart(part: unknown): string {
  if (typeof part !== 'object' || part === null) return String(part);
  if ('def' in part) return wordsFor(part);
  const { def } = (part as { _zod?: { def: object } })['_zod'] ?? {};
  return def === undefined ? fc.stringify(part) : wordsFor({ def });
}

const date = fc.date({ noInvalidDate: true });

const leaves: readonly Sample[] = [
  sample(z.string(), text),
  sample(z.string().min(2).max(4), text),
  sample(z.string().trim().toLowerCase(), text),
  sample(z.string().regex(/^[ab]/), text),
  sample(z.string().startsWith('a').includes('b'), fc.constantFrom('ab', 'a', 'axb')),
  sample(z.email(), fc.oneof(fc.emailAddress(), text)),
  sample(z.url(), fc.oneof(fc.webUrl(), text)),
  sample(z.uuid(), fc.oneof(fc.uuid(), text)),
  sample(z.ipv4(), fc.oneof(fc.ipV4(), text)),
  sample(z.ipv6(), fc.oneof(fc.ipV6(), text)),
  sample(z.base64(), fc.oneof(fc.base64String({ maxLength: 8 }), text)),
  sample(
    z.iso.datetime(),
    fc.oneof(
      date.map((at) => at.toISOString()),
      text,
    ),
  ),
  sample(
    z.iso.datetime({ offset: true, precision: 0 }),
    fc.constantFrom('2026-01-31T00:00:00+02:00', '2026-02-30T00:00:00Z'),
  ),
  sample(
    z.iso.date(),
    fc.oneof(
      date.map((at) => at.toISOString().slice(0, 10)),
      fc.constantFrom('2026-02-29', '2024-02-29'),
    ),
  ),
  sample(z.iso.time(), fc.constantFrom('12:00', '12:00:00.5', '24:00:00', '1:00')),
  sample(z.iso.duration(), fc.constantFrom('P1D', 'PT', 'P1Y2M', 'P1W')),
  sample(z.number(), number),
  sample(z.number().min(0).max(10), number),
  sample(z.number().multipleOf(0.1), number),
  sample(z.number().positive().lt(5), number),
  sample(z.int(), number),
  sample(z.int32().nonnegative(), number),
  sample(z.float32(), number),
  sample(z.nan(), number),
  sample(z.bigint().positive(), fc.bigInt({ min: -3n, max: 9n })),
  sample(z.boolean(), fc.boolean()),
  sample(z.null(), fc.constant(null)),
  sample(z.undefined(), fc.constant(undefined)),
  sample(z.void(), fc.constant(undefined)),
  sample(z.never(), anything),
  sample(z.any(), anything),
  sample(z.unknown(), anything),
  sample(z.date(), date),
  sample(z.symbol(), anything),
  sample(z.literal('a'), text),
  sample(z.literal([1, null, 'b', true]), fc.constantFrom(1, null, 'b', true, '1')),
  sample(z.literal([-0, Number.NaN, 7n]), fc.constantFrom(0, -0, Number.NaN, 7n)),
  sample(z.enum(['a', 'b', '7', 'toString']), text),
  sample(z.enum({ One: 1, Two: 'two' }), fc.constantFrom(1, 'two', 'One')),
  sample(z.templateLiteral(['a-', z.number()]), fc.constantFrom('a-1', 'a-x', 'a-1.5')),
  sample(z.stringbool(), fc.constantFrom('true', 'no', '1', 'maybe')),
  sample(z.coerce.string(), anything),
  sample(z.coerce.number(), anything),
  sample(z.coerce.boolean(), anything),
  sample(z.coerce.date(), anything),
  sample(z.coerce.bigint(), fc.oneof(text, fc.integer())),
  sample(z.json(), fc.jsonValue({ maxDepth: 2 })),
  sample(z.instanceof(Date), date),
  sample(
    z.custom((value) => typeof value === 'string' || value === 0),
    anything,
  ),
  sample(z.custom(), anything),
  sample(
    z.map(z.string(), z.number()),
    fc.array(fc.tuple(text, number)).map((all) => new Map(all)),
  ),
  sample(
    z.set(z.string()).max(2),
    fc.array(text, { maxLength: 4 }).map((all) => new Set(all)),
  ),
];

/** Fields of an object schema, each by its name once. */
type Fields = readonly (readonly [string, Sample])[];

function shapeOf(fields: Fields): Record<string, z.ZodType> {
  return Object.fromEntries(fields.map(([field, { schema }]) => [field, schema]));
}

/** Objects with the fields that were declared, in any order; now and then without one of them. */
function fieldsFitting(fields: Fields): fc.Arbitrary<unknown> {
  const entries = fields.map(([field, { fitting }]) =>
    fc.option(fc.tuple(fc.constant(field), fitting), { freq: 12, nil: undefined }),
  );
  return objectOf(
    fc.tuple(fc.tuple(...entries), fc.boolean()).map(([own, reversed]) => {
      const present = own.filter((entry) => entry !== undefined);
      return reversed ? present.toReversed() : present;
    }),
  );
}

/** A sample, wrapped in one of the ways in which schemas wrap others. */
const wrappers: readonly ((inner: Sample) => Sample)[] = [
  ({ schema, fitting }) => sample(schema.optional(), fc.option(fitting, { nil: undefined })),
  ({ schema, fitting }) => sample(schema.nullable(), fc.option(fitting)),
  ({ schema, fitting }) => sample(schema.nullish(), fc.option(fitting, { nil: undefined })),
  ({ schema, fitting }) => sample(z.exactOptional(schema), fitting),
  ({ schema, fitting }) => sample(schema.optional().nonoptional(), fitting),
  ({ schema, fitting }) =>
    sample(schema.default('d' as never), fc.option(fitting, { nil: undefined })),
  ({ schema, fitting }) =>
    sample(schema.prefault('p' as never), fc.option(fitting, { nil: undefined })),
  ({ schema, fitting }) => sample(schema.catch('c' as never), fitting),
  ({ schema, fitting }) =>
    sample(
      schema.catch((context: { value: unknown }) => [context.value]),
      fitting,
    ),
  ({ schema, fitting }) => sample(schema.readonly(), fitting),
  ({ schema, fitting }) => sample(schema.brand('x'), fitting),
  ({ schema, fitting }) =>
    sample(
      schema.refine((value) => String(typeof value) !== 'boolean'),
      fitting,
    ),
  ({ schema, fitting }) =>
    sample(
      schema.refine((value) => value !== null, { error: 'not null', path: ['deep'] }),
      fitting,
    ),
  ({ schema, fitting }) =>
    sample(
      schema.superRefine((value, context) => {
        if (value === 'a') context.addIssue({ code: 'custom', message: 'no a', path: ['x'] });
        if (typeof value === 'number' && value > 5) throw new TypeError('more than five');
      }),
      fitting,
    ),
  ({ schema, fitting }) =>
    sample(
      schema.transform((value) => ({ value })),
      fitting,
    ),
  ({ schema, fitting }) =>
    sample(
      schema.transform((value, context) => {
        if (value === 'b') context.addIssue('no b');
        return value;
      }),
      fitting,
    ),
  ({ schema, fitting }) =>
    sample(schema.transform((value) => [value]).pipe(z.array(z.any()).max(1)), fitting),
  ({ schema, fitting }) =>
    sample(
      z.preprocess((value) => (value === 'a' ? 7 : value), schema),
      fitting,
    ),
  ({ schema, fitting }) =>
    sample(
      schema.overwrite((value) => value),
      fitting,
    ),
  ({ schema, fitting }) =>
    sample(
      z.lazy(() => schema),
      fitting,
    ),
  ({ schema, fitting }) => sample(z.array(schema), lists(fitting)),
  ({ schema, fitting }) => sample(z.array(schema).min(1).max(2), lists(fitting)),
  ({ schema, fitting }) => sample(z.tuple([schema, z.string().optional()], schema), lists(fitting)),
  ({ schema, fitting }) => sample(z.record(z.string(), schema), dictionaries(fitting)),
  ({ schema, fitting }) => sample(z.record(z.string().max(2), schema), dictionaries(fitting)),
  ({ schema, fitting }) => sample(z.record(z.enum(['a', 'b']), schema), dictionaries(fitting)),
  ({ schema, fitting }) =>
    sample(z.partialRecord(z.enum(['a', 'id']), schema), dictionaries(fitting)),
];

function lists(fitting: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.array(fitting, { maxLength: 4 });
}

function dictionaries(fitting: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return objectOf(fc.array(fc.tuple(key, fitting), { maxLength: 4 }));
}

/** Two samples, joined in one of the ways in which schemas join others. */
const joints: readonly ((one: Sample, other: Sample) => Sample)[] = [
  (one, other) => sample(z.union([one.schema, other.schema]), fc.oneof(one.fitting, other.fitting)),
  (one, other) => sample(z.xor([one.schema, other.schema]), fc.oneof(one.fitting, other.fitting)),
  (one, other) =>
    sample(z.intersection(one.schema, other.schema), fc.oneof(one.fitting, other.fitting)),
  (one, other) =>
    sample(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), a: one.schema }),
        z.object({ kind: z.enum(['b', 'c']), b: other.schema.optional() }),
        z.looseObject({ kind: z.literal(null) }),
      ]),
      fc.record(
        { kind: fc.constantFrom('a', 'b', 'c', null, 'd'), a: one.fitting, b: other.fitting },
        { requiredKeys: ['kind'] },
      ),
    ),
];

/** The ways in which an object treats fields that it does not declare. */
const objects: readonly ((shape: Record<string, z.ZodType>, rest: z.ZodType) => z.ZodType)[] = [
  (shape) => z.object(shape),
  (shape) => z.object(shape).partial(),
  (shape) => z.strictObject(shape),
  (shape) => z.looseObject(shape),
  (shape, rest) => z.object(shape).catchall(rest),
  (shape) => z.object(shape).refine((value) => Object.keys(value).length !== 2),
];

/** Schemas of every kind, nested in each other. */
export const samples = samplesThat(() => true);

/** Those that functions are generated for. */
export const generableSamples = samplesThat(isGenerable);

/** Those that read nothing but what they name. */
export const closedSamples = samplesThat(isClosed);

function samplesThat(have: (schema: z.ZodType) => boolean): fc.Arbitrary<Sample> {
  const one = sample(z.string(), fc.string());
  const own = {
    leaves: leaves.filter(({ schema }) => have(schema)),
    objects: objects.filter((make) => have(make({}, z.string()))),
    wrappers: wrappers.filter((wrap) => have(wrap(one).schema)),
    joints: joints.filter((join) => have(join(one, one).schema)),
  };
  const { nested } = fc.letrec<{ nested: Sample }>((tie) => {
    const part = tie('nested');
    const fields = fc.uniqueArray(fc.tuple(name, part), {
      maxLength: 4,
      selector: ([field]) => field,
    });
    const object = fc
      .tuple(fc.constantFrom(...own.objects), fields, part)
      .map(([make, all, rest]) => sample(make(shapeOf(all), rest.schema), fieldsFitting(all)));
    const wrapped = fc
      .tuple(fc.constantFrom(...own.wrappers), part)
      .map(([wrap, inner]) => wrap(inner));
    const joined = fc
      .tuple(fc.constantFrom(...own.joints), part, part)
      .map(([join, left, right]) => join(left, right));
    return {
      nested: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom(...own.leaves),
        { arbitrary: object, weight: 2 },
        wrapped,
        joined,
      ),
    };
  });
  return nested.filter(({ schema }) => have(schema));
}

/** Values for a sample: they fit, nearly fit, or are anything at all. */
export function valuesOf({ fitting }: Sample): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 5, arbitrary: fitting },
    { weight: 4, arbitrary: fc.tuple(fitting, fc.nat(), key, anything).map(altered) },
    { weight: 1, arbitrary: anything },
  );
}

/** The value with one part of it changed: another value, a further field, a field less, a hole. */
function altered([value, seed, field, other]: [unknown, number, string, unknown]): unknown {
  if (Array.isArray(value)) {
    const copy = [...(value as unknown[])];
    if (seed % 4 === 0) return [...copy, other];
    const index = seed % (copy.length + 1);
    if (seed % 4 === 1) delete copy[index];
    else copy[index] = seed % 4 === 2 ? altered([copy[index], seed >> 2, field, other]) : other;
    return copy;
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return other;
  const entries: [string, unknown][] = Object.entries(value);
  const index = seed % (entries.length + 1);
  const [at, part] = entries[index] ?? [field, undefined];
  if (seed % 3 === 0) return Object.fromEntries([...entries, [field, other]]);
  if (seed % 3 === 1) return Object.fromEntries(entries.toSpliced(index, 1));
  return Object.fromEntries(
    entries.toSpliced(index, 1, [at, altered([part, seed >> 2, field, other])]),
  );
}
