/** `compare`: which texts are one key. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliserOf } from '../../src/dsl/compare.ts';
import { assertProperty } from '../support/property.ts';

const number = normaliserOf('number') ?? String;
const caseless = normaliserOf('caseless') ?? String;

describe('a number as a key', () => {
  it.each([
    ['7', '007'],
    ['7', '+7'],
    ['7', '7.00'],
    ['70', '7e1'],
    ['0.07', '7E-2'],
    ['0', '-0.0'],
    ['0', '0e5'],
    ['-1.5', '-01.50'],
    ['100000000000000000000', '1e20'],
  ])('%s is %s', (one, other) => {
    expect(number(one)).toBe(number(other));
  });

  it.each(['', 'a', '7a', ' 7', '7.', '.7', '0x7', '1e9999', '1_000', 'Infinity', '--7'])(
    'is not %j',
    (text) => {
      expect(number(text)).toBeUndefined();
    },
  );

  it('equals another where their values do, exactly', () => {
    const part = fc.record({
      value: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      places: fc.nat(6),
    });
    assertProperty(
      fc.property(part, part, fc.nat(5), (a, b, zeros) => {
        const write = ({ value, places }: typeof a): string => {
          const digits = String(value < 0n ? -value : value).padStart(places + 1, '0');
          const at = digits.length - places;
          const fraction = `${digits.slice(at)}${'0'.repeat(zeros)}`;
          const text = `${'0'.repeat(zeros)}${digits.slice(0, at)}`;
          return `${value < 0n ? '-' : ''}${text}${fraction === '' ? '' : `.${fraction}`}`;
        };
        const isSame = a.value * 10n ** BigInt(b.places) === b.value * 10n ** BigInt(a.places);
        expect(number(write(a)) === number(write(b))).toBe(isSame);
      }),
    );
  });
});

describe('a key without case', () => {
  it('is the same in both cases', () => {
    assertProperty(
      fc.property(fc.stringMatching(/^[a-zα-ω0-9 _-]*$/), (text) => {
        expect(caseless(text.toUpperCase())).toBe(caseless(text));
      }),
    );
  });

  it.each([
    ['ı', 'i'],
    ['é', 'e'],
    ['ß', 's'],
  ])('but %s is not %s', (one, other) => {
    expect(caseless(one)).not.toBe(caseless(other));
  });
});
