import { describe, expect, it } from 'vitest';
import { findLoadedRow } from '../../tools/profile/loaded-row.ts';
import { readOptions } from '../../tools/profile/options.ts';
import { rows } from '../../bench/rows.ts';

describe('the options of a profile', () => {
  it('are a row, and five seconds if nothing else is said', () => {
    const options = readOptions(['--row', 'list-25']);
    expect(options).toEqual({
      row: 'list-25',
      seconds: 5,
      svg: undefined,
      cpuProfile: undefined,
    });
  });

  it('can be a time, and a file for the picture', () => {
    const args = ['--row', 'list-25', '--seconds', '2', '--svg', 'flame.svg'];
    expect(readOptions(args)).toMatchObject({ seconds: 2, svg: 'flame.svg' });
  });

  it('can be a file for other viewers of profiles', () => {
    const args = ['--row', 'list-25', '--cpuprofile', 'list.cpuprofile'];
    expect(readOptions(args)).toMatchObject({ cpuProfile: 'list.cpuprofile' });
    expect(() => readOptions([...args.slice(0, 3), 'list.json'])).toThrow('--cpuprofile: ');
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

describe('the row to profile', () => {
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
