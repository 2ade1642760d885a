import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'deploy/prometheus');

function promtool(...args: string[]): string {
  return execFileSync('promtool', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
}

describe('deploy/prometheus/alerts.yml', () => {
  it('is what Prometheus takes', () => {
    expect(promtool('check', 'rules', 'alerts.yml')).toContain('SUCCESS');
  });

  it('fires each alert when it should, and none for a gateway that is well', () => {
    expect(promtool('test', 'rules', 'alerts.test.yml')).toContain('SUCCESS');
  });

  it('names only metrics that the reference lists', () => {
    const rules = z.object({
      groups: z.array(z.object({ rules: z.array(z.object({ expr: z.string() })) })),
    });
    const { groups } = rules.parse(parse(readFileSync(join(folder, 'alerts.yml'), 'utf8')));
    const expressions = groups.flatMap((group) => group.rules.map(({ expr }) => expr)).join('\n');
    // Labels stand in braces or parentheses after `by` and `on`.
    const withoutLabels = expressions.replaceAll(/\{[^}]*\}|(?:by|on) \([^)]*\)/g, '');
    const names = new Set(withoutLabels.match(/\b(?:plait|http|process|nodejs)_\w+/g));
    const reference = readFileSync(join(root, 'docs/reference.md'), 'utf8');
    const unknown = [...names].filter(
      (name) => !reference.includes(`\`${name.replace(/_(?:count|sum|bucket)$/, '')}\``),
    );
    expect(names.size).toBeGreaterThan(4);
    expect(unknown).toEqual([]);
  });
});
