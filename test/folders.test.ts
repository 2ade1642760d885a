import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = import.meta.dirname;
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

describe('the tests', () => {
  it('start no processes where they are unit tests, so that those stay quick', () => {
    const starters = files
      .filter(isUnitTest)
      .filter((file) =>
        [...withImports(file)].some((one) => /^import .*'node:child_process'/m.test(textOf(one))),
      );
    expect(starters, 'call them *.process.test.ts').toEqual([]);
  });

  it('share helpers in test/support only: no folder imports from another', () => {
    const strangers = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => ![roomOf(file), 'support'].includes(roomOf(target)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(strangers).toEqual([]);
  });
});

function isUnitTest(file: string): boolean {
  const inProcess = !file.endsWith('.process.test.ts') && !/^(?:acceptance|cli|soak)\//.test(file);
  return file.endsWith('.test.ts') && inProcess;
}

/** The first folder of a path, if it has one. */
function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : '';
}

/** The file, and all in `test/` that it imports. */
function withImports(file: string, known = new Set<string>()): ReadonlySet<string> {
  if (known.has(file)) return known;
  known.add(file);
  for (const target of importsOf(file)) withImports(target, known);
  return known;
}

/** The files of `test/` that it imports. */
function importsOf(file: string): string[] {
  return [...textOf(file).matchAll(/^(?:import|export) [^']*'(\.[^']+)';/gm)]
    .map(([, target = '']) => relative(folder, join(folder, dirname(file), target)))
    .filter((path) => !path.startsWith('..') && existsSync(join(folder, path)));
}

function textOf(file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}
