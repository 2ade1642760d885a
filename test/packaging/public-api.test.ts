import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as plait from 'plait';
import * as server from 'plait/server';
import { describe, expect, it } from 'vitest';

interface Door {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** The names that a front door exports, as its file says. */
function exportsOf(file: string): Door {
  const text = readFileSync(join(import.meta.dirname, '../../src', file), 'utf8');
  const lists = [...text.matchAll(/^export (type )?\{([^}]+)\}/gm)];
  const namesIn = (isType: boolean): string[] =>
    lists
      .filter(([, type]) => (type !== undefined) === isType)
      .flatMap(([, , names = '']) => names.split(',').map((name) => name.trim()))
      .toSorted();
  return { values: namesIn(false), types: namesIn(true) };
}

function toText(name: string, { values, types }: Door): string {
  const lines = [...values, ...types.map((type) => `type ${type}`)];
  return [name, ...lines.map((line) => `  ${line}`), ''].join('\n');
}

describe('the public API', () => {
  const doors = { plait: exportsOf('index.ts'), 'plait/server': exportsOf('server.ts') };

  it('is what public-api.txt lists: a change there is a change for every user', async () => {
    const text = Object.entries(doors).map(([name, door]) => toText(name, door));
    await expect(text.join('\n')).toMatchFileSnapshot('public-api.txt');
  });

  it('is all there at run time', () => {
    expect(Object.keys(plait).toSorted()).toEqual(doors.plait.values);
    expect(Object.keys(server).toSorted()).toEqual(doors['plait/server'].values);
  });
});
