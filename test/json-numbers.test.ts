/** Numbers in JSON text: as they came, or an error. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isUnheld, toExactBigInt } from '../src/exact-number.ts';
import { parseJson, stringifyJson, toPointer } from '../src/json.ts';
import { parseJsonBy } from '../src/parse.ts';
import { assertProperty } from './support/property.ts';

/** The exact value of a literal: an integer, and how often it is to be divided by ten. */
function exactly(literal: string): { digits: bigint; scale: number } {
  const [, whole = '', fraction = '', exponent = '0'] =
    /^(-?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  let digits = BigInt(whole + fraction);
  if (digits === 0n) return { digits, scale: 0 };
  let scale = fraction.length - Number(exponent);
  for (; digits % 10n === 0n; scale -= 1) digits /= 10n;
  return { digits, scale };
}

function significant(literal: string): number {
  return String(exactly(literal).digits).replace('-', '').length;
}

const digit = fc.constantFrom(...'0123456789');
const digits = (least: number, most: number) =>
  fc.string({ unit: digit, minLength: least, maxLength: most });
const whole = fc.oneof(
  digits(1, 5),
  digits(15, 20),
  digits(1, 330),
  fc.bigInt(2n ** 53n - 9n, 2n ** 53n + 9n).map(String),
  fc.nat(70).map((power) => String(2n ** BigInt(power))),
  fc.nat(330).map((zeros) => `1${'0'.repeat(zeros)}`),
);
const integer = fc
  .tuple(fc.constantFrom('', '-'), whole)
  .map(([sign, text]) => sign + (text.replace(/^0+/, '') || '0'));
const literal = fc
  .tuple(
    integer,
    fc.option(fc.oneof(digits(1, 4), digits(14, 20), digits(1, 400)), { nil: undefined }),
    fc.option(
      fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.oneof(digits(1, 2), digits(3, 4))),
      {
        nil: undefined,
      },
    ),
  )
  .map(([text, fraction, exponent]) =>
    [text, fraction === undefined ? '' : `.${fraction}`, ...(exponent ?? [])].join(''),
  );
/** Texts that look like numbers from the outside. */
const text = fc
  .array(fc.oneof(literal, fc.constantFrom('"', '\\', ',', ':', '[', ' ', 'e', '-', 'a')), {
    maxLength: 4,
  })
  .map((parts) => parts.join(''));

/** Whether a number or text left as it came, or as the double nearest to it (RFC 8259, 6). */
function isAsItCame(came: string, left: string): boolean {
  if (came.startsWith('"')) return JSON.parse(left) === JSON.parse(came);
  const { digits: value, scale } = exactly(came);
  const isFraction = /[eE]/.test(came) || scale > 0;
  const isOut = !Number.isFinite(Number(came)) || (Number(came) === 0 && value !== 0n);
  if (isFraction && !isOut && significant(came) <= 17) return Number(left) === Number(came);
  const found = exactly(left);
  return found.digits === value && found.scale === scale;
}

function listOf(count: number): string {
  return `[${Array<string>(count).fill('1e400').join(',')}]`;
}

describe('a number that no schema looks into', () => {
  it('leaves as it came, wherever it stands', () => {
    assertProperty(
      fc.property(fc.array(literal), text, (literals, around) => {
        const quoted = JSON.stringify(around);
        const json = `[${literals.join(',')},{${quoted}: [${quoted},${literals.join(' ,\n')}]}]`
          .replace('[,', '[')
          .replace(`${quoted},]`, `${quoted}]`);
        const written = stringifyJson(parseJson(json));
        const found = Array.from(written.matchAll(/"(?:\\.|[^"\\])*"|-?\d[\d.eE+-]*/g), String);
        const came = Array.from(json.matchAll(/"(?:\\.|[^"\\])*"|-?\d[\d.eE+-]*/g), String);
        expect(found.length).toBe(came.length);
        expect(came.filter((one, index) => !isAsItCame(one, found[index] ?? ''))).toEqual([]);
      }),
    );
  });

  it.each([
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['9007199254740993.000', 9007199254740993n],
    ['1152921504606846976', 2n ** 60n],
    ['9007199254740993e0', 9007199254740993n],
    ['-9.007199254740993E+15', -9007199254740993n],
    ['90071992547409.9300e2', 9007199254740993n],
    ['0.9007199254740993e16', 9007199254740993n],
    ['9007199254740992e0', 2 ** 53],
    ['9.2233720368547758E+18', 2 ** 63],
    ['9007199254740992', 2 ** 53],
    ['100000000000000000000', 1e20],
    ['0.10000000000000001', 0.1],
    ['0.30000000000000004', 0.30000000000000004],
    ['1.00000000000000000000000', 1],
    ['0e999', 0],
    ['0.000e-999', 0],
    ['-0', -0],
    ['1e23', 1e23],
  ])('%s is held', (json, value) => {
    expect(parseJson(json)).toBe(value);
  });

  it.each(['1e400', '-1e400', '1e-400', '0.1234567890123456789', `${'9'.repeat(5_000)}`])(
    '%s is held by no type: it is written as it came, and cannot be computed with',
    (json) => {
      const value = parseJson(json);
      expect(isUnheld(value)).toBe(true);
      expect(stringifyJson([value, { value }])).toBe(`[${json},{"value":${json}}]`);
      expect(String(value)).toBe(json);
      expect(() => Number(value)).toThrow('too long, too large or too small for JavaScript');
      expect(() => (value as () => void)()).toThrow('for JavaScript');
    },
  );

  it.each([
    '12345678901234567890a',
    '[1e400',
    '012345678901234567',
    '1.2.3.4.5.6.7.8.9.0',
    '1e400e400',
    '--12345678901234567890',
    '12345678901234567890 1',
    '{12345678901234567890:1}',
  ])('%s is no JSON', (json) => {
    expect(() => parseJson(json)).toThrow(SyntaxError);
    expect(() => JSON.parse(json)).toThrow(SyntaxError);
  });

  it('may be there a thousand times, and no more often, if no type holds it', () => {
    expect(stringifyJson(parseJson(listOf(1_000)))).toBe(listOf(1_000));
    expect(() => parseJson(listOf(1_001))).toThrow(
      'JSON has more than 1000 numbers that JavaScript cannot hold',
    );
  });
});

describe('a number under z.number()', () => {
  it('is held, or is an error that names its place', () => {
    const schema = z.object({ a: z.array(z.object({ n: z.number() })) });
    assertProperty(
      fc.property(fc.array(literal), (literals) => {
        const json = `{"a":[${literals.map((one) => `{"n":${one}}`).join(',')}]}`;
        const parsed = parseJsonBy(schema, parseJson(json));
        const isExact = literals.map((one) => typeof parseJson(one) === 'number');
        const misfits = parsed.ok ? [] : parsed.problems;
        expect(misfits.map(({ path, code }) => [toPointer(path), code])).toEqual(
          isExact.flatMap((fits, index) => (fits ? [] : [[`/a/${index}/n`, 'inexact_number']])),
        );
        const value = parsed.ok ? parsed.value : JSON.parse(json);
        expect(stringifyJson(value)).toBe(JSON.stringify(JSON.parse(json)));
      }),
    );
  });

  it.each([
    ['9007199254740993', 9007199254740992],
    ['0.1234567890123456789', 0.12345678901234568],
    ['1e400', Number.MAX_VALUE],
    ['-1e400', -Number.MAX_VALUE],
    ['1e-400', 0],
    ['7', 7],
  ])('is the nearest one if the operation says so: %s', (json, value) => {
    const schema = z.object({
      n: z.number(),
      all: z.array(z.number().min(-Infinity)),
      any: z.unknown(),
    });
    const parsed = parseJsonBy(
      schema,
      parseJson(`{"n":${json},"all":[${json}],"any":${json}}`),
      'rounded',
    );
    expect(parsed).toMatchObject({ ok: true, value: { n: value, all: [value] } });
    expect(parsed.ok && stringifyJson(parsed.value)).toContain(`"any":${json}`);
  });

  it.each([
    ['coerced', z.object({ n: z.coerce.number() })],
    ['of a union', z.object({ n: z.union([z.number(), z.string()]) })],
    ['optional', z.object({ n: z.int().optional() })],
    ['preprocessed', z.object({ n: z.preprocess((value) => value, z.number()) })],
  ])('is no other one when it is %s', (_, schema) => {
    for (const json of ['12345678901234567890', '1e400']) {
      const parsed = parseJsonBy(schema, parseJson(`{"n":${json}}`));
      expect(parsed).toMatchObject({
        ok: false,
        problems: [{ path: ['n'], code: 'inexact_number' }],
      });
    }
  });

  it('may be anything in a field that the schema drops', () => {
    const parsed = parseJsonBy(z.object({ id: z.string() }), parseJson('{"id":"a","n":1e400}'));
    expect(parsed).toEqual({ ok: true, value: { id: 'a' } });
  });

  it.each([
    ['z.string()', z.string(), 'Invalid input: expected string, received number'],
    ['z.object()', z.object({}), 'Invalid input: expected object, received number'],
    [
      'z.record()',
      z.record(z.string(), z.unknown()),
      'Invalid input: expected record, received number',
    ],
    ['z.array()', z.array(z.unknown()), 'Invalid input: expected array, received number'],
  ])('is a number to %s', (_, schema, message) => {
    for (const json of ['12345678901234567890', '1e400']) {
      expect(parseJsonBy(schema, parseJson(json))).toMatchObject({
        ok: false,
        problems: [{ message }],
      });
    }
  });
});

describe('an integer under z.bigint()', () => {
  const Tree = z.object({
    n: z.bigint(),
    get parts() {
      return z.array(Tree).optional();
    },
  });

  it('arrives as a bigint, however short it is, and leaves as its digits', () => {
    assertProperty(
      fc.property(fc.array(integer), (integers) => {
        const json = `[${integers.join(',')}]`;
        const parsed = parseJsonBy(z.array(z.bigint()), parseJson(json));
        expect(parsed).toEqual({ ok: true, value: integers.map(BigInt) });
        expect(parsed.ok && stringifyJson(parsed.value)).toBe(
          `[${integers.map(BigInt).join(',')}]`,
        );
      }),
    );
  });

  it.each<[string, z.ZodType, string]>([
    ['an object', z.object({ n: z.bigint(), m: z.number() }), '{"n":7,"m":7}'],
    ['a loose one', z.looseObject({ n: z.bigint() }), '{"n":7,"m":12345678901234567890}'],
    ['a catch-all', z.object({}).catchall(z.bigint()), '{"n":7}'],
    ['a list', z.array(z.bigint().positive()), '[7,12345678901234567890]'],
    ['a tuple', z.tuple([z.number(), z.bigint()], z.bigint()), '[7,7,7]'],
    ['a record', z.record(z.string(), z.bigint()), '{"n":7}'],
    ['wrappers', z.object({ n: z.bigint().nullish().default(1n).readonly() }), '{"n":7}'],
    ['a union', z.union([z.string(), z.bigint()]), '7'],
    [
      'a union by kind',
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), n: z.number() }),
        z.object({ kind: z.literal('b'), n: z.bigint() }),
      ]),
      '{"kind":"b","n":7}',
    ],
    ['a format', z.uint64(), '18446744073709551615'],
    ['a literal', z.literal(7n), '7'],
    ['a coercion', z.coerce.bigint(), '1152921504606846976'],
    ['a preprocessing', z.preprocess((value) => value, z.bigint()), '7'],
    ['an intersection', z.intersection(z.object({ n: z.bigint() }), z.looseObject({})), '{"n":7}'],
    ['something lazy', z.lazy(() => z.bigint()), '7'],
    ['itself', Tree, '{"n":7,"parts":[{"n":8,"parts":[{"n":12345678901234567890}]}]}'],
    ['what comes before a transformation', z.bigint().transform((value) => value + 0n), '7'],
  ])('may be in %s', (_, schema, json) => {
    const parsed = parseJsonBy(schema, parseJson(json));
    expect(parsed).toMatchObject({ ok: true });
    expect(parsed.ok && stringifyJson(parsed.value)).toBe(json);
  });

  it.each(['1.5', '1e400', '"7"', 'null'])('is not %s', (json) => {
    expect(parseJsonBy(z.bigint(), parseJson(json)).ok).toBe(false);
  });
});

describe('a number of JavaScript', () => {
  it.each([
    [7, 7n],
    [-0, 0n],
    [2 ** 53, 9007199254740992n],
    [1e21, 10n ** 21n],
    [1e23, undefined],
    [2 ** 60, undefined],
    [1.5, undefined],
    [Infinity, undefined],
    [NaN, undefined],
  ])('%s is the integer %s in JSON', (number, integerOf) => {
    expect(toExactBigInt(number)).toBe(integerOf);
  });
});
