import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { traversalProblem } from '../src/path-segment.ts';
import { assertProperty } from './support/property.ts';

const relative = 'contains a relative path';
const again = 'once it is decoded again';

describe('a path parameter that could reach another path is refused', () => {
  it.each([
    ['../internal/order', relative],
    ['a/../b', relative],
    ['..;/admin', relative],
    ['..;x', relative],
    ['.;a=b', relative],
    ['a/b', 'contains a slash'],
    ['/a', 'contains a slash'],
    ['..\\internal', 'contains a backslash'],
    ['a\\b', 'contains a backslash'],
    ['%2e%2e', `${relative} ${again}`],
    ['%2e%2e%2finternal', `${relative} ${again}`],
    ['..%2Finternal', `${relative} ${again}`],
    ['%252e%252e%252finternal', `${relative} ${again}`],
    ['%25252e%25252e', `${relative} ${again}`],
    ['.%2e', `${relative} ${again}`],
    ['%5c', `contains a backslash ${again}`],
    ['a%2fb', `contains a slash ${again}`],
    ['a%00', `contains control characters ${again}`],
    ['a%250d%250aX-Evil: 1', `contains control characters ${again}`],
    ['%c0%ae%c0%ae', `${relative} ${again}`],
    ['%c0%af', `contains a slash ${again}`],
    ['%e0%80%ae%e0%80%ae', `${relative} ${again}`],
    ['%f0%80%80%af', `contains a slash ${again}`],
    ['%u002e%u002e', `${relative} ${again}`],
    ['%u002f', `contains a slash ${again}`],
    ['%zz%2e%2e%2f', `contains a slash ${again}`],
    ['%%32e%%32e', `${relative} ${again}`],
    ['\uFF0E\uFF0E', relative],
    ['\u2025', relative],
    ['\uFF0E.\uFF0Fadmin', relative],
    ['%ef%bc%8e%ef%bc%8e', `${relative} ${again}`],
    ['%uff0e%uff0e%uff0fadmin', `${relative} ${again}`],
  ])('%s', (text, problem) => {
    expect(traversalProblem(text)).toBe(problem);
  });
});

describe('a path parameter that stays one is let through', () => {
  it.each([
    'ord_1001',
    'a..b',
    '...',
    '.hidden',
    'file.json',
    'a;b=c',
    '100%',
    '%zz',
    '50%25 off',
    'ä.ö',
    '%e4%b8%ad',
    'A\uFF0FB',
    '\u2026',
    '3\uFF0E5',
    'a?b#c',
    'Straße 7',
  ])('%s', (text) => {
    expect(traversalProblem(text)).toBeUndefined();
  });
});

describe('where slashes are allowed', () => {
  it.each(['@scope/package', 'a/b/c', '10.1000%2fxyz', 'group%252fproject'])(
    '%s is let through',
    (text) => {
      expect(traversalProblem(text, { slash: true })).toBeUndefined();
    },
  );

  it.each([
    ['a/../b', relative],
    ['..', relative],
    ['a//b', 'contains an empty path segment'],
    ['/a', 'contains an empty path segment'],
    ['a%2f', `contains an empty path segment ${again}`],
    ['a%2f%2e%2e', `${relative} ${again}`],
  ])('%s is refused', (text, problem) => {
    expect(traversalProblem(text, { slash: true })).toBe(problem);
  });
});

/** One layer more of encoding, of some characters: enough for a lenient server to undo. */
const layer = (text: string, which: readonly boolean[]): string =>
  [...text]
    .map((one, index) =>
      which[index % which.length] === true && one.charCodeAt(0) < 0x80
        ? `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`
        : one,
    )
    .join('');

it('however often dot segments are encoded, and in whatever parts, they are found', () => {
  const which = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });
  assertProperty(
    fc.property(
      fc.constantFrom('..', '.', '../x', 'x/..', '..\\x', 'x/../y', '..;a', 'x/.'),
      fc.array(which, { maxLength: 5 }),
      (hostile, layers) => {
        expect(traversalProblem(layers.reduce(layer, hostile))).toBeDefined();
        expect(traversalProblem(layers.reduce(layer, hostile), { slash: true })).toBeDefined();
      },
    ),
  );
});

it('decoding comes to an end for any text', () => {
  const text = fc.string({
    unit: fc.constantFrom('%', '2', '5', 'e', 'f', 'c', '0', 'u', '.', '/', 'a'),
  });
  assertProperty(
    fc.property(text, (any) => {
      expect(['undefined', 'string']).toContain(typeof traversalProblem(any));
    }),
  );
});
