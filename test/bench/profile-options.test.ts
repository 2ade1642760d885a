import { describe, expect, it } from 'vitest';
import { findLoadedRow } from '../../bench/profile/loaded-row.ts';
import { readOptions } from '../../bench/profile/options.ts';
import { loadRows } from '../../bench/row.ts';

describe('the options of a profile', () => {
  it('are a row, and five seconds if nothing else is said', () => {
    const options = readOptions(['--row', 'list-25']);
    expect(options).toEqual({ row: 'list-25', seconds: 5, svg: undefined });
  });

  it('can be a time, and a file for the picture', () => {
    const args = ['--row', 'list-25', '--seconds', '2', '--svg', 'flame.svg'];
    expect(readOptions(args)).toMatchObject({ seconds: 2, svg: 'flame.svg' });
  });

  it('need a row', () => {
    expect(() => readOptions([])).toThrow('--row: is missing. Say which row of bench/rows');
  });

  it('are refused where they cannot be what they are', () => {
    expect(() => readOptions(['--row', 'list-25', '--seconds', 'many'])).toThrow('--seconds: ');
    expect(() => readOptions(['--row', 'list-25', '--svg', 'a.png'])).toThrow('--svg: ');
    expect(() => readOptions(['--rows', 'list-25'])).toThrow('--rows');
  });
});

describe('the row to profile', async () => {
  const rows = await loadRows();

  it('is the one of that name', () => {
    expect(findLoadedRow(rows, 'list-25').name).toBe('list-25');
  });

  it('is one of those there are', () => {
    expect(() => findLoadedRow(rows, 'list')).toThrow(
      /^There is no row "list"\. There are: .*cache-hit, .*list-25, /,
    );
  });

  it('has load', () => {
    expect(() => findLoadedRow(rows, 'start-1')).toThrow(
      /^The row "start-1" only starts a program: there is no load to profile\. There are: (?!.*start-)/,
    );
  });
});
