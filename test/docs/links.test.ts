import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as words from '../../src/index.ts';

const root = join(import.meta.dirname, '../..');
const pages = ['*.md', 'docs/**/*.md', 'bench/*.md'].flatMap((glob) =>
  globSync(glob, { cwd: root }),
);

/** Without code, in which brackets and hashes mean something else. */
function proseOf(page: string): string {
  return readFileSync(page, 'utf8')
    .replaceAll(/^```[^]*?^```/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ''));
}

function targetsIn(prose: string): string[] {
  const inline = Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target);
  const named = Array.from(prose.matchAll(/^\[[^\]]+\]: (\S+)$/gm), ([, target = '']) => target);
  return [...inline, ...named].filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors of headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return Array.from(proseOf(page).matchAll(/^#{1,6} (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function isDead(target: string, page: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : resolve(dirname(page), path);
  if (!existsSync(file)) return true;
  return anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor);
}

describe('the documentation', () => {
  it.each(pages)('has no dead link in %s', (name) => {
    const page = join(root, name);
    expect(targetsIn(proseOf(page)).filter((target) => isDead(target, page))).toEqual([]);
  });

  it('gives every link that is named below a page its target', () => {
    const undefinedIn = pages.flatMap((name) => {
      const prose = proseOf(join(root, name));
      const known = new Set(
        Array.from(prose.matchAll(/^\[([^\]]+)\]: /gm), ([, target]) => target),
      );
      const used = Array.from(prose.matchAll(/\]\[([^\]]+)\]/g), ([, target]) => target);
      return used.filter((target) => !known.has(target));
    });
    expect(undefinedIn).toEqual([]);
  });

  it('leads from the index of the reference to every word of composition files', () => {
    const index = readFileSync(join(root, 'docs/reference.md'), 'utf8');
    expect(Object.keys(words).filter((word) => !index.includes(`\`${word}\``))).toEqual([]);
  });
});
