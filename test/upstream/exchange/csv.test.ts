/** Tables as RFC 4180 has them: what is written is read, and what is no table is refused. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NotCsvError, parseCsv, writeCsv } from '../../../src/upstream/exchange/bodies/csv.ts';
import { assertProperty } from '../../support/property.ts';

const piece = fc.constantFrom(
  'a',
  '"',
  ',',
  ';',
  '\n',
  '\r\n',
  '\r',
  ' ',
  'é',
  '""',
  '__proto__',
  '=1',
);
const cell = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''));
const separator = fc.constantFrom(',', ';', '\t');

describe('a table', () => {
  it('is read as it was written', () => {
    const table = fc.array(fc.tuple(cell, fc.option(cell, { nil: undefined })), { maxLength: 4 });
    assertProperty(
      fc.property(table, separator, fc.boolean(), (given, mark, header) => {
        const names = ['x', 'y, z'];
        const text = writeCsv({ separator: mark, header }, names, given);
        const kind = { kind: 'csv', separator: mark, header } as const;
        const parsed = parseCsv(text, kind, { names, mayBeAbsent: new Set(names) });
        expect(parsed).toEqual(
          given.map(([x, y]) => ({ x, ...(y !== undefined && { 'y, z': y }) })),
        );
      }),
    );
  });

  it('is refused without a quotation where it is none', () => {
    const columns = { names: [], mayBeAbsent: new Set<string>() };
    const kind = { kind: 'csv', separator: ',', header: true } as const;
    assertProperty(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const result = attempt(() => parseCsv(pieces.join(''), kind, columns));
        expect(Array.isArray(result) || /^NotCsvError: has [\w ]+$/.test(String(result))).toBe(
          true,
        );
        expect(JSON.stringify(result)).not.toContain('"__proto__":');
      }),
    );
  });
});

function attempt(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    return error instanceof NotCsvError ? error : String(error);
  }
}
