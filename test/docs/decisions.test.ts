import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '../../docs/decisions');
const files = readdirSync(folder).filter((name) => /^\d{4}-[a-z0-9-]+\.md$/.test(name));

function read(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

/** The line of the index for a decision, made of what the decision says. */
function rowOf(name: string): string {
  const text = read(name);
  const [, number, title] = /^# (\d+)\. (.+)$/m.exec(text) ?? [];
  const [, status, date] = /^Status: ([^.]+)\. Date: (\d{4}-\d\d-\d\d)\./m.exec(text) ?? [];
  return `| ${number} | [${title}](${name}) | ${status} | ${date} |`;
}

describe('the decisions', () => {
  it.each(files)('%s says its number, its status and its date', (name) => {
    expect(rowOf(name)).not.toContain('undefined');
    expect(rowOf(name)).toMatch(new RegExp(`^\\| ${Number(name.slice(0, 4))} \\| `));
  });

  it('are all listed in the index, as they say themselves', () => {
    expect(read('README.md').match(/^\| \d.*$/gm)).toEqual(files.map(rowOf));
  });
});
