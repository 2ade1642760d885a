/**
 * Compares `/metrics` with what a real collector wrote: `test/golden/collector/metrics.txt`. To record
 * that again, start a new collector with `otel-collector.yaml` and run this file with its addresses:
 * `COLLECTOR_OTLP=http://127.0.0.1:4318 COLLECTOR_METRICS=http://127.0.0.1:8889/metrics`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { startSink } from '../support/otlp-sink.ts';
import { seriesIn, seriesOf } from './_collector-names.ts';
import { countEverything } from './_every-metric.ts';

const file = join(import.meta.dirname, '../golden/collector/metrics.txt');
const { COLLECTOR_OTLP: collector, COLLECTOR_METRICS: exporter } = process.env;

const header = `# What the Prometheus exporter of a collector 0.165.1 makes of the metrics that
# test/telemetry/_every-metric.ts sends it: one series of each kind. Recorded by
# test/telemetry/collector-output.process.test.ts. Delete the lines of a metric that has changed
# since, or record all of them again.
`;

it('writes on /metrics what a collector does: names, types, labels, buckets and help', async () => {
  const recorded = withoutItsOwn(await recordedText());
  const { url, points } = await startSink();
  const text = await countEverything(url);
  const names = new Set(Object.keys(helpIn(recorded)));
  const isRecorded = (series: string): boolean => names.has(series.split(' ')[0] ?? '');
  const sorted = (series: readonly string[]) => [...new Set(series.filter(isRecorded))].toSorted();

  expect(names.size).toBeGreaterThan(20);
  expect(helpIn(text)).toMatchObject(helpIn(recorded));
  expect(sorted(seriesIn(text))).toEqual(sorted(seriesIn(recorded)));
  expect(sorted(bucketsIn(text))).toEqual(sorted(bucketsIn(recorded)));
  // The rules that newer metrics are held to are those of the real one.
  expect(sorted(points.map(seriesOf))).toEqual(sorted(seriesIn(recorded)));
});

it('has no comment that the collector does not write', async () => {
  const { url } = await startSink();
  const comments = (await countEverything(url)).match(/^# [A-Z]+(?= \w)/gm);
  expect(new Set(comments)).toEqual(new Set(['# HELP', '# TYPE']));
});

/** Written anew where a collector is there. */
async function recordedText(): Promise<string> {
  if (collector === undefined || exporter === undefined) return readFileSync(file, 'utf8');
  await countEverything(collector);
  const made = await vi.waitUntil(() => textOf(exporter));
  const text = header + shortened(made);
  writeFileSync(file, text);
  return text;
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** Labels that tell which of several gateways it is, where Prometheus asks the gateway itself. */
function withoutItsOwn(text: string): string {
  return text.replaceAll(/\b(?:instance|job|otel_scope_(?:schema_url|version))="[^"]*",?/g, '');
}

function helpIn(text: string): Record<string, string> {
  const lines = text.matchAll(/^# HELP (\w+) (.+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name = '', help = '']) => [name, help]));
}

function bucketsIn(text: string): string[] {
  const lines = text.matchAll(/^(\w+)_bucket\{.*\ble="([^"]+)"/gm);
  return Array.from(lines, ([, name, bound]) => `${name} ${bound}`);
}

/** The first series of each kind, and nothing of the machine. */
function shortened(text: string): string {
  const seen = new Map<string, string>();
  const kept = text.split('\n').filter((line) => {
    if (!/^\w/.test(line)) return true;
    const [own] = line.split(/,?le="| \S+$/);
    const kind = (own ?? '').replaceAll(/="[^"]*"/g, '');
    if (!seen.has(kind)) seen.set(kind, own ?? '');
    return seen.get(kind) === own;
  });
  return kept.join('\n').replaceAll(/(host_\w+)="[^"]*"/g, '$1="…"');
}
