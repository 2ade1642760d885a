import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHttpDate, toHttpDate } from '../src/http-date.ts';
import { assertProperty } from './support/property.ts';

const now = Date.UTC(2026, 10, 25);
const parse = (text: string) => {
  const found = parseHttpDate(text, now);
  return found === undefined ? undefined : new Date(found).toISOString();
};

describe('an HTTP date', () => {
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
    ['Wed Nov 16 08:49:37 1994', '1994-11-16T08:49:37.000Z'],
    ['sun, 06 nov 1994 08:49:37 gmt', '1994-11-06T08:49:37.000Z'],
    ['Thu, 29 Feb 2024 00:00:00 GMT', '2024-02-29T00:00:00.000Z'],
    ['Sat, 31 Dec 2016 23:59:60 GMT', '2017-01-01T00:00:00.000Z'],
    ['Sunday, 06-Nov-26 08:49:37 GMT', '2026-11-06T08:49:37.000Z'],
    ['Sunday, 06-Nov-76 08:49:37 GMT', '2076-11-06T08:49:37.000Z'],
    ['Saturday, 06-Nov-77 08:49:37 GMT', '1977-11-06T08:49:37.000Z'],
    ['Mon, 01 Jan 0050 00:00:00 GMT', '0050-01-01T00:00:00.000Z'],
  ])('%s', (text, moment) => {
    expect(parse(text)).toBe(moment);
  });

  it.each([
    '',
    '0',
    '-1',
    'soon',
    '2026-11-25',
    '2026-11-25T00:00:00Z',
    '25 Nov 2026 00:00:00 GMT',
    'Wed, 25 Nov 2026 00:00:00',
    'Wed, 25 Nov 2026 00:00:00 UTC',
    'Wed, 25 Nov 2026 00:00:00 +0100',
    'Wed, 25 Nov 2026 00:00:00 CET',
    'Wed, 25 Nov 2026 24:00:00 GMT',
    'Wed, 25 Nov 2026 00:60:00 GMT',
    'Wed, 31 Nov 2026 00:00:00 GMT',
    'Wed, 29 Feb 2026 00:00:00 GMT',
    'Wed, 00 Nov 2026 00:00:00 GMT',
    'Wed, 5 Nov 2026 00:00:00 GMT',
    'Wed, 25 Foo 2026 00:00:00 GMT',
    'Wednesday, 25 Nov 2026 00:00:00 GMT',
    'Wed Nov 25 00:00:00 2026 GMT',
    'Wed, 25 Nov 2026 00:00:00 GMT, Wed, 25 Nov 2026 00:00:00 GMT',
  ])('is not %j', (text) => {
    expect(parse(text)).toBeUndefined();
  });

  it('comes back as it went out', async () => {
    const seconds = fc.integer({ min: 0, max: 253_402_300_799 });
    await assertProperty(
      fc.property(seconds, (second) => {
        expect(parseHttpDate(toHttpDate(second * 1_000), now)).toBe(second * 1_000);
      }),
    );
  });
});
