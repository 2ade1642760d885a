import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Rows of the table: the last cell names files; one without a folder lies beside the one before. */
const rows = (/^## Where is …\?$[^]+?(?=^## )/m.exec(read('CONTRIBUTING.md'))?.[0] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.includes('`'))
  .map((line) => [...(line.split('|').at(-2) ?? '').matchAll(/`([^`]+(?:\.ts|\/))`/g)])
  .map((matches) => matches.map(([, file = '']) => file));

function missingIn(files: readonly string[]): string[] {
  let folder = '.';
  return files.filter((file) => {
    const candidates = [file, join(folder, file)];
    folder = dirname(file) === '.' ? folder : dirname(file);
    return !candidates.some((path) => existsSync(join(root, 'src', path)));
  });
}

describe('the map of rooms in CONTRIBUTING.md', () => {
  it('names files that exist', () => {
    expect(rows.length).toBeGreaterThanOrEqual(30);
    expect(rows.filter((files) => files.length === 0)).toEqual([]);
    expect(rows.flatMap(missingIn)).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  it('names files and folders that exist, up to where things will go', () => {
    const [today = ''] = read('ARCHITECTURE.md').split('## Where things will go');
    const words = new Set(['plait/server']);
    const paths = [...today.matchAll(/`((?:[a-z-]+\/)+(?:[a-z-]+(?:\.ts)?)?)`/g)].map(
      ([, path = '']) => path,
    );
    const missing = paths.filter(
      (path) =>
        !words.has(path) &&
        ['', '.ts'].every((ending) =>
          ['src', 'src/upstream', '.'].every(
            (folder) => !existsSync(join(root, folder, path + ending)),
          ),
        ),
    );
    expect(paths.length).toBeGreaterThan(30);
    expect([...new Set(missing)]).toEqual([]);
  });
});
