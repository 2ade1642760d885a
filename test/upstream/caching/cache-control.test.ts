import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ageSecondsOf, parseCacheControl } from '../../../src/upstream/caching/cache-control.ts';
import { assertProperty } from '../../support/property.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

const nothing = { noStore: false, private: false, noCache: false, mustRevalidate: false };

describe('Cache-Control', () => {
  it.each([
    ['no header', undefined, {}],
    ['an empty one', '', {}],
    ['any case', 'No-Store, PRIVATE, nO-cAcHe', { noStore: true, private: true, noCache: true }],
    ['ages', 'max-age=60, s-maxage=5', { maxAgeSeconds: 60, sMaxAgeSeconds: 5 }],
    ['quotes', 'max-age="60"', { maxAgeSeconds: 60 }],
    [
      'spaces and tabs',
      ' \tmax-age = 60\t,, s-maxage= "5" ,',
      { maxAgeSeconds: 60, sMaxAgeSeconds: 5 },
    ],
    ['several headers', ['max-age=60', 'private'], { maxAgeSeconds: 60, private: true }],
    ['fields that are meant', 'private="set-cookie, no-store"', { private: true }],
    ['fields that are meant', 'no-cache="a"', { noCache: true }],
    ['what is quoted', 'x="no-store, max-age=3", no-cache', { noCache: true }],
    ['an escaped quote', String.raw`x="\", no-store", private`, { private: true }],
    ['a quote without end', 'private, x="no-store', { private: true }],
    ['the shorter of two ages', 'max-age=60, max-age=5', { maxAgeSeconds: 5 }],
    ['an age that is none, as 0', 'max-age=soon', { maxAgeSeconds: 0 }],
    ['an age below 0, as 0', 'max-age=-1', { maxAgeSeconds: 0 }],
    ['an age without a number, as 0', 'max-age', { maxAgeSeconds: 0 }],
    ['part of a second, as 0', 'max-age=1.5', { maxAgeSeconds: 0 }],
    ['an age past all counting', `max-age=${'9'.repeat(400)}`, { maxAgeSeconds: 2 ** 31 }],
    ['the two that end use past the time', 'proxy-revalidate', { mustRevalidate: true }],
    ['the two that end use past the time', 'must-revalidate', { mustRevalidate: true }],
    ['names that only contain one', 'x-no-store, no-storex, private-x', {}],
  ])('is read from %s: %j', (_, value, expected) => {
    expect(parseCacheControl(value)).toEqual({ ...nothing, ...expected });
  });

  it('is read without exceptions, and with ages in whole seconds only', () => {
    const piece = fc.oneof(
      fc.constantFrom('max-age', 'no-store', '=', '"', ',', '\\', ' ', ';', '5', '-', 's-maxage'),
      fc.string(),
    );
    assertProperty(
      fc.property(fc.array(piece), (pieces) => {
        const { maxAgeSeconds = 0, sMaxAgeSeconds = 0 } = parseCacheControl(pieces.join(''));
        for (const age of [maxAgeSeconds, sMaxAgeSeconds]) {
          expect(Number.isSafeInteger(age) && age >= 0).toBe(true);
        }
      }),
      { full: 2_000 },
    );
  });

  it('means the same in any order, case, spacing and number of headers', () => {
    const directive = fc.constantFrom(
      'no-store',
      'private',
      'no-cache',
      'max-age=7',
      's-maxage="9"',
      'x="a, b"',
      'public',
    );
    const blank = fc.constantFrom('', ' ', '\t', '  ');
    const dress = fc.tuple(fc.boolean(), blank, blank);
    assertProperty(
      fc.property(
        fc.array(fc.tuple(directive, dress), { maxLength: 8 }),
        fc.boolean(),
        (list, apart) => {
          const plain = list.map(([text]) => text).toSorted();
          const dressed = list.map(
            ([text, [upper, before, after]]) =>
              before + (upper ? text.toUpperCase() : text) + after,
          );
          expect(parseCacheControl(apart ? dressed : dressed.join(','))).toEqual(
            parseCacheControl(plain.join(', ')),
          );
        },
      ),
      { full: 1_000 },
    );
  });

  it('is read in time proportional to its length', () => {
    for (const text of [
      '"\\'.repeat(50_000),
      'a="'.repeat(50_000),
      'a =  '.repeat(50_000),
      ' '.repeat(200_000),
    ]) {
      expect(cpuMsOf(() => parseCacheControl(text))).toBeLessThan(500);
    }
  });
});

it.each([
  [undefined, 0],
  ['12', 12],
  [['12', '13'], 12],
  ['-1', 0],
  ['soon', 0],
])('Age %j is read as %j seconds', (value, seconds) => {
  expect(ageSecondsOf(value)).toBe(seconds);
});
