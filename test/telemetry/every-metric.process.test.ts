import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, defineComposition, defineService, lookup, operation, optional } from 'plait';
import { expect, it, onTestFinished, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { getOrder } from '../../compositions/upstreams/orders.ts';
import { systemClock } from '../../src/clock.ts';
import type { Overload } from '../../src/edge/overload.ts';
import { createMetering } from '../../src/telemetry/metrics-provider.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { unobserved } from '../../src/telemetry/telemetry.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startSink } from '../support/otlp-sink.ts';
import { isPromtoolSkipped, promtool } from '../support/promtool.ts';
import { raw } from '../support/raw-http.ts';
import { askForAcceptedWork } from './_accepted.ts';
import { seriesIn, seriesOf } from './_collector-names.ts';

const root = join(import.meta.dirname, '../..');
const payments = defineService({ name: 'payments', url: { env: 'PAYMENTS_URL' } });
const paymentOf = lookup(payments, {
  name: 'paymentOf',
  route: 'GET /payments',
  keys: { query: 'orderIds' },
  by: 'orderId',
  item: z.object({ orderId: z.string() }),
});
const kept = operation(payments, {
  name: 'kept',
  route: 'GET /payments/:paymentId',
  response: z.object({ id: z.string() }),
  cache: { ttlMs: 60_000 },
});
const hedged = operation(payments, {
  name: 'hedged',
  route: 'GET /payments/:paymentId',
  response: z.object({ id: z.string() }),
  hedge: { afterP: 0.5, maxExtra: 0.9 },
});
const compositions = {
  page: defineComposition({
    route: 'GET /page/:id',
    compose: ({ params: { id } }) => ({
      order: call(getOrder, { orderId: id }),
      kept: call(kept, { paymentId: 'pay_1001' }),
      payment: optional(call(paymentOf, { orderId: id })),
    }),
  }),
  single: defineComposition({
    route: 'GET /single/:id',
    compose: ({ params: { id } }) => ({ payment: call(paymentOf, { orderId: id }) }),
  }),
  hedged: defineComposition({
    route: 'GET /hedged',
    compose: () => ({ payment: call(hedged, { paymentId: 'pay_1001' }) }),
  }),
};

/** Everything that can be counted has happened here, and went to a collector, too. */
async function everything() {
  const sink = await startSink();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', sink.url);
  vi.stubEnv('OTEL_SERVICE_NAME', 'plait');
  onTestFinished(() => void vi.unstubAllEnvs());
  const metering = await createMetering({ protocol: 'http/protobuf', intervalMs: 60_000 });
  onTestFinished(() => metering.provider.shutdown());
  const telemetry = { ...unobserved, ...createMetrics(metering, systemClock) };
  await askForAcceptedWork(telemetry);
  await provoke(telemetry);
  await hedge(telemetry);
  telemetry.onStrayError?.('rejection');
  await metering.provider.forceFlush();
  return { text: await metering.text(), points: sink.points };
}

async function provoke(telemetry: Telemetry): Promise<void> {
  let state: Partial<Overload> = {};
  const overload: Overload = {
    shedsSteps: () => state.shedsSteps?.() ?? false,
    retryAfterSeconds: () => state.retryAfterSeconds?.(),
    pressure: 0,
    lag: { delayMs: 1, utilisation: 0.1 },
    close: () => undefined,
  };
  const app = await startWithMocks({ compositions, telemetry, overload });
  await app.get('/page/ord_1001');
  await app.get('/single/ord_unknown');
  app.mocks.orders.fault([{ match: '*', status: 503, times: 1 }]);
  await app.get('/page/ord_1002');
  state = { shedsSteps: () => true };
  await app.get('/page/ord_1003');
  state = { retryAfterSeconds: () => 1 };
  await app.get('/page/ord_1004');
  await raw(app.url, 'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n');
}

/** One attempt beside another: latencies are known by then, and one is slow. */
async function hedge(telemetry: Telemetry): Promise<void> {
  const clock = createFakeClock();
  const { get, mocks } = await startWithMocks({ compositions, telemetry, clock });
  await Array.from({ length: 40 }).reduce<Promise<unknown>>(
    (before) => before.then(() => get('/hedged')),
    Promise.resolve(),
  );
  mocks.payments.fault([{ match: '*', hang: true, times: 1 }]);
  const { length } = mocks.payments.requests();
  const late = get('/hedged');
  await vi.waitFor(() => expect(mocks.payments.requests()).toHaveLength(length + 1));
  clock.advance(100);
  await late;
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
  const [, section = ''] = readFileSync(join(root, 'docs/reference.md'), 'utf8').split(
    '\n## Metrics\n',
  );
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
