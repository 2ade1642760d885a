/**
 * Situations in which an operator looks for the culprit: their traces are files for Jaeger's "Upload",
 * in `test/golden/traces/`, and `docs/find-the-culprit.md` says how each looks. A change of what spans
 * look like changes the files: `vitest run -u` writes them again.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toJaeger } from '../support/jaeger.ts';
import { isRedisSkipped } from '../support/redis.ts';
import { quotedBelow, rows, targets, untrueIn } from './_culprit-page.ts';
import { allSituations, openEvidence } from './_evidence.ts';

const evidenceOf = await openEvidence();
const root = join(import.meta.dirname, '../..');
const folder = join(root, 'test/golden/traces');
const names = Object.keys(allSituations);
const isHere = (name: string): boolean => !(isRedisSkipped && name === 'redis-gone');

it.each(names.filter(isHere))('the trace of %s is as it was', async (name) => {
  const { traces } = await evidenceOf(name);
  await expect(toJaeger(traces)).toMatchFileSnapshot(join(folder, `${name}.json`));
});

describe('docs/find-the-culprit.md', () => {
  it('has a row for each situation', () => {
    const linked = ['all-well', ...rows.flatMap(({ situations }) => situations)];
    expect([...new Set(linked)].toSorted()).toEqual(names.toSorted());
    expect(rows.filter(({ situations }) => situations.length === 0)).toEqual([]);
  });

  it('links to their traces', () => {
    const files = names.map((name) => [name, `../test/golden/traces/${name}.json`] as const);
    expect(targets).toEqual(new Map(files));
  });

  it('quotes below its table what the gateway writes', () => {
    const files = globSync('src/**/*.ts', { cwd: root }).map((file) => join(root, file));
    const code = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    // Metrics have other names there.
    const lines = quotedBelow.filter((quoted) => !quoted.startsWith('plait_'));
    expect(lines.length).toBeGreaterThan(6);
    expect(lines.filter((quoted) => !code.includes(quoted))).toEqual([]);
  });

  it.each(rows.filter(({ situations }) => situations.every(isHere)))(
    'says what is seen when: $text',
    async (row) => {
      const well = await evidenceOf('all-well');
      const seen: (typeof well)[] = [];
      // oxlint-disable-next-line no-await-in-loop -- they share a clock
      for (const name of row.situations) seen.push(await evidenceOf(name));
      expect(untrueIn(row, seen, well)).toEqual([]);
    },
  );
});
