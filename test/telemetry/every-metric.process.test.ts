import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { startSink } from '../support/otlp-sink.ts';
import { isPromtoolSkipped, promtool } from '../support/promtool.ts';
import { seriesIn, seriesOf } from './_collector-names.ts';
import { countEverything } from './_every-metric.ts';

const root = join(import.meta.dirname, '../..');

async function everything() {
  const { url, points } = await startSink();
  return { text: await countEverything(url), points };
}

it('has the name on /metrics that the collector makes of it', async () => {
  const { text, points } = await everything();
  const there = [...new Set(seriesIn(text))].toSorted();
  expect(there).toEqual([...new Set(points.map(seriesOf))].toSorted());
  expect(text).toMatch(/^target_info\{.*service_name=/m);
});

it('is a row of the reference, with its type and labels, and no other is', async () => {
  const { text } = await everything();
  expect(rowsOf(seriesIn(text))).toEqual(referenceRows());
});

it('is what the alerts and the dashboard ask for', async () => {
  const { text } = await everything();
  const known = new Set(
    seriesIn(text).flatMap((series) => {
      const [name = '', type = ''] = series.split(/[ {]/);
      return type === 'histogram' ? ['_bucket', '_count', '_sum'].map((end) => name + end) : name;
    }),
  );
  const used = expressions().flatMap((expr) =>
    expr
      .replaceAll(/\{[^}]*\}|\b(?:by|on|group_left|group_right) ?\([^)]*\)/g, '')
      .match(/\b(?:plait|http|process|nodejs)_\w+/g),
  );
  expect(used.length).toBeGreaterThan(6);
  expect(used.filter((name) => name === null || !known.has(name))).toEqual([]);
});

it.skipIf(isPromtoolSkipped)('is by the book, says promtool', async () => {
  const { text } = await everything();
  expect(promtool(['check', 'metrics'], { input: text })).toEqual({ code: 0, said: '' });
});

const Rules = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ expr: z.string() })) })),
});

const Dashboard = z.object({
  panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })).default([]) })),
});

function read(path: string): unknown {
  return parse(readFileSync(join(root, 'deploy', path), 'utf8'));
}

/** Of alert rules and dashboard. */
function expressions(): string[] {
  const { groups } = Rules.parse(read('prometheus/alerts.yml'));
  const { panels } = Dashboard.parse(read('grafana/plait.json'));
  const rules = groups.flatMap((group) => group.rules);
  return [...rules, ...panels.flatMap(({ targets }) => targets)].map(({ expr }) => expr);
}

type Rows = Record<string, { type: string; labels: string[] }>;

/** The labels of all series of a metric together. */
function rowsOf(series: readonly string[]): Rows {
  const rows: Rows = {};
  for (const text of series) {
    const [, name = '', type = '', labels = ''] = /^(\w+) (\w+)\{(.*)\}$/.exec(text) ?? [];
    const own = labels.split(',').filter((label) => label !== 'otel_scope_name' && label !== 'le');
    const known = rows[name]?.labels ?? [];
    rows[name] = { type, labels: [...new Set([...known, ...own])].toSorted() };
  }
  return rows;
}

function referenceRows(): Rows {
  const page = readFileSync(join(root, 'docs/reference/telemetry.md'), 'utf8');
  const [, section = ''] = page.split('\n## Metrics\n');
  const [table = ''] = section.split('\n## ');
  const rows: Rows = {};
  for (const line of table.split('\n').filter((text) => text.startsWith('| `'))) {
    const [, names = '', type = '', labels = ''] = line.split(/ ?\| ?/);
    // Labels have an underscore, and the values after them none.
    const own = labels.split('`').filter((text) => /^[a-z]+(?:_[a-z]+)+$/.test(text));
    for (const [, name = ''] of names.matchAll(/`(\w+)`/g))
      rows[name] = { type, labels: own.toSorted() };
  }
  return rows;
}
