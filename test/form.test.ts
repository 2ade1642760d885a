import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { NotFormError, parseForm } from '../src/form.ts';
import { assertProperty } from './support/property.ts';

const anything = z.looseObject({});
const word = fc.string({ unit: 'grapheme', maxLength: 5 }).filter((text) => text.isWellFormed());

describe('a form', () => {
  it('is read as it was written', () => {
    const pairs = fc.array(fc.tuple(word, word), { maxLength: 6 });
    assertProperty(
      fc.property(pairs, (given) => {
        const wanted = new Map<string, string[]>();
        for (const [name, value] of given)
          if (name !== '__proto__') wanted.set(name, [...(wanted.get(name) ?? []), value]);
        const parsed = parseForm(anything, new URLSearchParams(given).toString());
        const lists = Object.entries(parsed).map(([name, value]) => [name, [value].flat()]);
        expect(new Map(lists as [string, string[]][])).toEqual(wanted);
      }),
    );
  });

  it('has 10,000 fields at the most', () => {
    const text = Array.from({ length: 10_000 }, (_, index) => `a${index}`).join('&');
    expect(Object.keys(parseForm(anything, text))).toHaveLength(10_000);
    expect(() => parseForm(anything, `${text}&b`)).toThrow('has more than 10000 fields');
  });

  it('is text with escapes of UTF-8, or refused without a quotation', () => {
    const piece = fc.oneof(
      word,
      fc.constantFrom('%', '%4', '%e9', '%00', '&', '=', '+', '__proto__'),
    );
    assertProperty(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const result = attempt(pieces.join(''));
        const isRead = !(result instanceof NotFormError) && !Object.hasOwn(result, '__proto__');
        expect(isRead || String(result) === 'NotFormError: has an invalid percent-encoding').toBe(
          true,
        );
      }),
    );
  });
});

function attempt(text: string): object {
  try {
    return parseForm(anything, text);
  } catch (error) {
    return error as object; // errors are
  }
}
