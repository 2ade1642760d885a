import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { typeCheck } from './support/project-copy.ts';
import { isPromtoolSkipped, promtool } from './support/promtool.ts';

/** Anything of a dashboard's JSON, by path: `panels.3.options`. */
type Change = readonly [path: string, value: unknown];

const root = join(import.meta.dirname, '..');
const text = readFileSync(join(root, 'deploy/grafana/plait.json'), 'utf8');

const source = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('${datasource}') });
const gridPos = z
  .object({ x: z.int().nonnegative(), y: z.int(), w: z.int().positive(), h: z.int().positive() })
  .refine(({ x, w }) => x + w <= 24, 'A row of Grafana is 24 wide');
const common = { id: z.int().positive(), title: z.string().min(1), gridPos };
const Target = z.object({
  refId: z.string().regex(/^[A-Z]$/),
  datasource: source,
  expr: z.string().min(1),
  legendFormat: z.string().min(1).default(''),
});
const panel = z.object({
  ...common,
  description: z.string().min(1),
  datasource: source,
  fieldConfig: z.object({
    defaults: z.object({
      unit: z.enum(['short', 'reqps', 'cps', 'percentunit', 's', 'bytes']).optional(),
    }),
  }),
  targets: z.array(Target).min(1),
});

/** What Grafana's types do not say: they know the shape, not what makes sense here. */
const dashboard = z
  .object({
    uid: z.string().max(40),
    templating: z.object({ list: z.array(z.object({ name: z.string() })) }),
    panels: z.array(
      z.discriminatedUnion('type', [
        z.object({ ...common, type: z.literal('row'), collapsed: z.literal(false) }),
        panel.extend({ type: z.enum(['timeseries', 'stat', 'table']) }),
      ]),
    ),
  })
  .parse(JSON.parse(text));
const targets = dashboard.panels.flatMap((one) => (one.type === 'row' ? [] : one.targets));

const pathOf = (type: string): string =>
  `panels.${dashboard.panels.findIndex((one) => one.type === type)}`;

/** Each is one kind of mistake, and what the compiler says about it. */
const mistakes: [title: string, change: Change, said: string][] = [
  ['an unknown property', ['titel', 'Plait'], `'"titel"' does not exist`],
  ['an unknown value', ['graphTooltip', 7], 'not assignable'],
  ['a missing property', ['schemaVersion', undefined], "'schemaVersion' is missing"],
  ['a wrong type', ['refresh', 30], "'number' is not assignable"],
  ['an unknown type of variable', ['templating.list.0.type', 'list'], 'not assignable'],
  ['an unknown type of panel', [`${pathOf('stat')}.type`, 'graph'], 'not assignable'],
  ['an unknown property of a query', [`${pathOf('stat')}.targets.0.query`, ''], 'does not exist'],
  ...mistakesIn('timeseries', 'tooltip', ['legend.placement', 'top']),
  ...mistakesIn('stat', 'reduceOptions', ['colorMode', 'bright']),
  ...mistakesIn('table', 'showHeader', ['cellHeight', 'xl']),
];

/** Of the options of a panel: each plug-in has its own. */
function mistakesIn(type: string, needed: string, [path, value]: Change): typeof mistakes {
  const options = `${pathOf(type)}.options`;
  return [
    [`an unknown option of ${type}`, [`${options}.colour`, 1], `'"colour"' does not exist`],
    [`an unknown value of ${type}`, [`${options}.${path}`, value], 'not assignable'],
    [`a missing option of ${type}`, [`${options}.${needed}`, undefined], `'${needed}' is missing`],
  ];
}

it("is of Grafana's own types, which do not let mistakes pass", { timeout: 120_000 }, async () => {
  const folder = projectOf({
    dashboard: text,
    ...Object.fromEntries(
      mistakes.map(([, change], index) => [`mistake-${index}`, changed(change)]),
    ),
  });
  const { output } = await typeCheck(folder);
  const errors = output.split(/^(?=\S+\.mts\()/m);
  const said = (name: string): string =>
    errors.filter((one) => one.startsWith(`${name}.mts(`)).join();
  expect(said('dashboard')).toBe('');
  for (const [index, [title, , sentence]] of mistakes.entries())
    expect(said(`mistake-${index}`), title).toContain(sentence);
});

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

/** A module for each JSON: of a literal, the compiler checks that nothing is too much. */
function projectOf(modules: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'plait-dashboard-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const types = JSON.stringify(join(root, 'test/support/grafana-dashboard.ts'));
  const config = { extends: join(root, 'tsconfig.json'), include: ['*.mts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  for (const [name, json] of Object.entries(modules))
    writeFileSync(
      join(folder, `${name}.mts`),
      `import type { GrafanaDashboard } from ${types};\nexport default (${json}) satisfies GrafanaDashboard;\n`,
    );
  return folder;
}

/** The dashboard's JSON with one value replaced, or removed by `undefined`. */
function changed([path, value]: Change): string {
  const copy: unknown = JSON.parse(text);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Reflect throws unless it is one
  const holder = keys.reduce((at, key) => Reflect.get(at, key) as object, copy as object);
  Reflect.set(holder, last, value);
  return JSON.stringify(copy);
}
