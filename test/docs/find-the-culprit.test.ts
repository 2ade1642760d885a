/** Names on the page "Find the culprit" are those that the gateway writes. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const page = read('docs/find-the-culprit.md');

const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.split(' | '));

/** The code spans of a column, counted from 0. */
function namesIn(column: number): string[] {
  return rows.flatMap((cells) =>
    [...(cells[column] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );
}

/** Attributes in golden traces, and those that the code of telemetry has as texts. */
const traces = globSync('test/golden/traces/*.json', { cwd: root }).map(read).join('\n');
const telemetry = globSync('src/telemetry/**/*.ts', { cwd: root }).map(read).join('\n');
const attributes = new Set([
  ...[...traces.matchAll(/"key": "([^"]+)"/g)].map(([, key = '']) => key),
  ...[...telemetry.matchAll(/'([a-z]+(?:\.[a-z_]+)+)'/g)].map(([, key = '']) => key),
]);

const kinds = new Set(
  [...read('src/errors.ts').matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, kind = '']) => kind),
);

describe('docs/find-the-culprit.md', () => {
  it('says in each row what is in Jaeger, in plait trace, in metrics and in the log', () => {
    expect(rows.length).toBeGreaterThan(35);
    expect(rows.filter(({ length }) => length !== 5)).toEqual([]);
  });

  it('names metrics and labels of the reference', () => {
    const [table = ''] = /^## Metrics$[^]+?(?=^## )/m.exec(read('docs/reference.md')) ?? [];
    const known = new Set([...table.matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name));
    const named = namesIn(3).filter((name) => name.includes('_'));
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('names attributes that spans have', () => {
    const named = namesIn(1).flatMap((name) => /^[a-z]+(?:\.[a-z_]+)+/.exec(name)?.[0] ?? []);
    const own = named.filter((name) => name !== 'x.instead');
    expect(own.length).toBeGreaterThan(30);
    expect(own.filter((name) => !attributes.has(name))).toEqual([]);
  });

  it('names values of error.type that failures have', () => {
    const named = [...page.matchAll(/`error\.type=([^`]+)`/g)].map(([, kind = '']) => kind);
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((kind) => !kinds.has(kind) && !/^[45]\d\d$/.test(kind))).toEqual([]);
  });

  it('names fields and lines of the log that the code has', () => {
    const code = globSync('src/**/*.ts', { cwd: root }).map(read).join('\n');
    const named = namesIn(4).map((name) => name.replace(/ ?….*/, ''));
    expect(named.filter((name) => !code.includes(name))).toEqual([]);
  });
});
