import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const folder = import.meta.dirname;
const unitTests = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
  (file) =>
    file.endsWith('.test.ts') &&
    !file.endsWith('.process.test.ts') &&
    !/^(?:acceptance|cli|soak)\//.test(file),
);

it('keeps whatever starts processes out of the unit tests, so that they stay quick', () => {
  const starters = unitTests.filter((file) =>
    [...withImports(file)].some((one) => /^import .*'node:child_process'/m.test(textOf(one))),
  );
  expect(starters, 'call them *.process.test.ts').toEqual([]);
});

/** The file, and all in `test/` that it imports. */
function withImports(file: string, known = new Set<string>()): ReadonlySet<string> {
  if (known.has(file)) return known;
  known.add(file);
  for (const [, target = ''] of textOf(file).matchAll(/^(?:import|export) [^']*'(\.[^']+)';/gm)) {
    const path = relative(folder, join(folder, dirname(file), target));
    if (!path.startsWith('..') && existsSync(join(folder, path))) withImports(path, known);
  }
  return known;
}

function textOf(file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}
