import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isNotUtf8, readQuery } from '../../src/http/query.ts';
import { pathToRoute } from '../../src/http/router.ts';
import { cpuMsOf } from '../support/cpu-time.ts';
import { assertProperty } from '../support/property.ts';

const piece = fc.oneof(
  fc.constantFrom('a', '=', '&', '+', '%', '%2', '%zz', '%26', '%41', '%00', '%EF%BF%BD'),
  fc
    .string({ unit: 'binary', maxLength: 2 })
    .map((text) => encodeURIComponent(text.toWellFormed())),
  fc.integer({ min: 0, max: 255 }).map((byte) => `%${byte.toString(16).padStart(2, '0')}`),
);

/** However many U+FFFD stand for bytes that are not UTF-8. */
const shortened = (query: URLSearchParams) =>
  [...query].map((pair) => pair.map((text) => text.replaceAll(/\ufffd+/g, '\ufffd')));

it('a query is read as URLSearchParams reads it, whatever its escapes', () => {
  assertProperty(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const sent = pieces.join('');
      expect(shortened(readQuery(sent))).toEqual(shortened(new URLSearchParams(sent)));
    }),
  );
});

it.each([
  ['caf%e9', true],
  ['%ed%a0%80', true],
  ['%c0%af', true],
  ['%f4%90%80%80', true],
  ['%EF%BF%BD', false],
  ['%f4%8f%bf%bf', false],
  ['50%', false],
])('a value that is written %s is not UTF-8: %s', (sent, isBad) => {
  expect(isNotUtf8(readQuery(`a=${sent}`).get('a') ?? '', sent)).toBe(isBad);
});

it.each(['a=%ff&', '%ff', '%zz', '%e4%bd', 'a=50%&'])(
  'a target of 16 KiB of %s takes no longer than one that can be read',
  (part) => {
    const text = part.repeat(16_000 / part.length);
    const request = new Request(`http://gateway/${text}`);
    expect(cpuMsOf(() => readQuery(text))).toBeLessThan(15);
    expect(cpuMsOf(() => pathToRoute(request))).toBeLessThan(15);
  },
);

it.each([
  ['/orders/7', '/orders/7'],
  ['/a%20b/%C3%BC?x=%ff', '/a b/\u00fc'],
  ['/a%2fb', '/a%2fb'],
  ['/a%25b', '/a%25b'],
  ['/a%ff%20', '/a%ff%20'],
  ['/50%', '/50%'],
])('the path %s is routed as %s', (sent, path) => {
  expect(pathToRoute(new Request(`http://gateway${sent}`))).toBe(path);
});
