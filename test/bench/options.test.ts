import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readOptions } from '../../bench/options.ts';

describe('the options of the bench', () => {
  it('measure for long enough to mean something', () => {
    expect(readOptions([])).toMatchObject({
      rounds: 10,
      seconds: 1,
      warmsUp: true,
      format: 'text',
    });
  });

  it('only try everything out with --smoke', () => {
    expect(readOptions(['--smoke'])).toMatchObject({ rounds: 1, seconds: 0.3, warmsUp: false });
  });

  it('can have another checkout beside this one, from wherever it is named', () => {
    expect(readOptions(['--against', '../before']).against).toBe(resolve('../before'));
    expect(readOptions([]).against).toBeUndefined();
  });

  it('are numbers where they have to be', () => {
    expect(readOptions(['--rounds', '3', '--seconds', '0.5'])).toMatchObject({
      rounds: 3,
      seconds: 0.5,
    });
    expect(() => readOptions(['--rounds', 'many'])).toThrow('--rounds: ');
    expect(() => readOptions(['--seconds', '0'])).toThrow('--seconds: ');
  });

  it('are refused when they do not exist', () => {
    expect(() => readOptions(['--round', '3'])).toThrow('--round');
  });
});
