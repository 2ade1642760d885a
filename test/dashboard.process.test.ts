import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { isPromtoolSkipped, promtool } from './support/promtool.ts';

const source = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('${datasource}') });
const gridPos = z
  .strictObject({
    x: z.int().nonnegative(),
    y: z.int().nonnegative(),
    w: z.int().positive(),
    h: z.int().positive(),
  })
  .refine(({ x, w }) => x + w <= 24, 'A row of Grafana is 24 wide');
const common = { id: z.int().positive(), title: z.string().min(1), gridPos };

/** What this dashboard uses of Grafana's model of dashboards, `schemaVersion` 39. */
const Dashboard = z.strictObject({
  uid: z.string().max(40),
  title: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  schemaVersion: z.literal(39),
  version: z.int(),
  editable: z.boolean(),
  graphTooltip: z.literal([0, 1, 2]),
  refresh: z.string(),
  timezone: z.string(),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  annotations: z.strictObject({ list: z.array(z.never()) }),
  links: z.array(z.never()),
  templating: z.strictObject({
    list: z.array(z.looseObject({ name: z.string(), type: z.enum(['datasource', 'query']) })),
  }),
  panels: z.array(
    z.discriminatedUnion('type', [
      z.strictObject({
        ...common,
        type: z.literal('row'),
        collapsed: z.literal(false),
        panels: z.tuple([]),
      }),
      z.strictObject({
        ...common,
        type: z.literal('timeseries'),
        description: z.string().min(1),
        datasource: source,
        fieldConfig: z.strictObject({
          defaults: z.strictObject({
            unit: z.enum(['short', 'reqps', 'cps', 'percentunit', 's', 'bytes']),
            min: z.literal(0),
            max: z.literal(1).optional(),
          }),
          overrides: z.array(z.never()),
        }),
        options: z.strictObject({}),
        targets: z
          .array(
            z.strictObject({
              refId: z.string().regex(/^[A-Z]$/),
              datasource: source,
              expr: z.string().min(1),
              legendFormat: z.string().min(1),
            }),
          )
          .min(1),
      }),
    ]),
  ),
});

const file = join(import.meta.dirname, '../deploy/grafana/plait.json');
const dashboard = Dashboard.parse(JSON.parse(readFileSync(file, 'utf8')));
const targets = dashboard.panels.flatMap((panel) => (panel.type === 'row' ? [] : panel.targets));

it('has panels with ids of their own, none over another', () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, place) => `${x + (place % w)} ${y + Math.floor(place / w)}`),
  );
  expect(new Set(places).size).toBe(places.length);
});

it('uses its own variables and those of Grafana only, and labels that it has asked for', () => {
  const names = dashboard.templating.list.map(({ name }) => name);
  for (const { expr, legendFormat } of targets) {
    const used = Array.from(expr.matchAll(/\$\{?(\w+)/g), ([, name]) => name);
    expect([...names, '__rate_interval']).toEqual(expect.arrayContaining(used));
    const kept = Array.from(expr.matchAll(/\bby \(([^)]*)\)/g), ([, labels = '']) => labels).join();
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
      expect(kept).toContain(label);
  }
});

it.skipIf(isPromtoolSkipped)('asks for what Prometheus can compute', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plait-dashboard-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const rules = targets.map(({ expr }, index) => ({
    record: `panel:${index}`.replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? ''),
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.*'),
  }));
  const groups = [{ name: 'panels', rules }];
  // JSON is YAML.
  writeFileSync(join(folder, 'panels.yml'), JSON.stringify({ groups }));
  const { code, said } = promtool(['check', 'rules', 'panels.yml'], { cwd: folder });
  expect([code, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
});
