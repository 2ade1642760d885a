/** Runs situations, and keeps all that an operator can see of each: traces, drawings, metrics, lines. */
import { afterAll, expect, vi } from 'vitest';
import { createMetering } from '../../src/telemetry/metrics-provider.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { combine } from '../../src/telemetry/telemetry.ts';
import type { StoredSpan } from '../../src/telemetry/trace-store.ts';
import { drawWaterfall, listTraces } from '../../src/telemetry/waterfall.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import type { SinkSpan } from '../support/otlp-sink.ts';
import { seriesOf } from './_prometheus.ts';
import type { Series } from './_prometheus.ts';
import { clientSituations } from './_client-situations.ts';
import { sharingSituations } from './_sharing-situations.ts';
import { situations } from './_situations.ts';
import type { Situation } from './_stage.ts';
import { stateSituations } from './_state-situations.ts';
import { startTracedShop } from './_traced-shop.ts';
import type { Shop } from './_traced-shop.ts';
import { startTraced } from './_traced.ts';

export interface Evidence {
  /** Of the requests that show the situation. */
  readonly traces: readonly (readonly SinkSpan[])[];
  /** The same as `plait trace` lists and draws them. */
  readonly drawn: string;
  /** `/metrics`, read once or more. */
  readonly metrics: readonly (readonly Series[])[];
  /** The log. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

/** By the name of the file that shows it. */
export const allSituations: Readonly<Record<string, Situation>> = {
  ...situations,
  ...sharingSituations,
  ...stateSituations,
  ...clientSituations,
};

/** Once in a file. The returned function runs a situation the first time that it is asked for. */
export async function openEvidence(): Promise<(name: string) => Promise<Evidence>> {
  const clock = createFakeClock();
  stopTime(clock);
  const warnings: string[] = [];
  const { telemetry: all, sink } = await startTraced({
    clock,
    // The traces of clients at other addresses of this machine are foreign: only in production.
    environment: {
      NODE_ENV: 'production',
      TRUSTED_PEERS: '127.0.0.1',
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
    },
    onWarning: (message) => warnings.push(message),
  });
  // Each situation has metrics of its own.
  const { metrics: _, ...telemetry } = all;
  const known = new Map<string, Promise<Evidence>>();

  async function gather(run: Situation): Promise<Evidence> {
    const shops: Shop[] = [];
    const metrics: Series[][] = [];
    const metering = await createMetering(undefined);
    const measuring = { ...createMetrics(metering, clock), metrics: metering.text };
    const observed = combine([telemetry, measuring]);
    const look = async (): Promise<void> => void metrics.push(seriesOf(await metering.text()));
    const asked = await run({
      clock,
      look,
      async start(options) {
        const shop = await startTracedShop({ clock, telemetry: observed, ...options });
        shops.push(shop);
        return shop;
      },
    });
    const traces = await Promise.all(asked.map(({ traceId }) => spansOf(sink.spans, traceId)));
    await look();
    // Changes of state are looked for once a second.
    clock.advance(1_000);
    const lines = shops.flatMap((shop) => shop.lines).map((line) => JSON.parse(line));
    const ofTelemetry = warnings.splice(0).map((message) => ({ level: 'warn', message }));
    return { traces, drawn: drawn(traces), metrics, lines: [...ofTelemetry, ...lines] };
  }

  return function evidenceOf(name) {
    const run = allSituations[name];
    if (run === undefined) throw new Error(`There is no situation called ${name}`);
    const gathered = known.get(name) ?? gather(run);
    known.set(name, gathered);
    return gathered;
  };
}

/**
 * Spans take as long as the clock says, and each moment is 2.1 µs after the one before. For the
 * whole file, so that no span begins by one time and ends by another.
 */
function stopTime(clock: FakeClock): void {
  const { now } = performance;
  const { now: wall } = Date;
  let [at, order] = [clock.now(), 0];
  performance.now = function stoppedTime() {
    order = clock.now() === at ? order + 1 : 0;
    at = clock.now();
    return at + order * 0.0021;
  };
  // Spans follow the wall clock where the two are apart.
  Date.now = () => Math.trunc(performance.timeOrigin + clock.now());
  afterAll(() => {
    performance.now = now;
    Date.now = wall;
  });
}

/** All spans of the trace of a request, once that has ended and nothing comes after it. */
async function spansOf(
  all: readonly SinkSpan[],
  clientTraceId: string,
): Promise<readonly SinkSpan[]> {
  const found = (): SinkSpan[] => {
    const own = all.find(({ attributes }) => attributes['plait.client_trace_id'] === clientTraceId);
    const traceId = own?.traceId ?? clientTraceId;
    return all.filter((span) => span.traceId === traceId);
  };
  await vi.waitFor(() => expect(found().some(({ kind }) => kind === 'SERVER')).toBe(true));
  await new Promise((resolve) => setTimeout(resolve, 30));
  return found();
}

/** Without their ids, in which a status like 429 may occur by chance. */
function drawn(traces: readonly (readonly SinkSpan[])[]): string {
  const stored = traces.map((spans) => ({
    traceId: spans[0]?.traceId ?? '',
    spans: spans.map(toStored),
  }));
  const text = [listTraces(stored), ...stored.map(drawWaterfall)].join('\n\n');
  return text.replaceAll(/\b[\da-f]{32}\b/g, '<id>');
}

/** As the store of traces keeps it. */
function toStored(span: SinkSpan): StoredSpan {
  const { spanId, parentSpanId, name, attributes } = span;
  const error = attributes['error.type'];
  return {
    spanId,
    ...(parentSpanId !== '' && { parentSpanId }),
    name,
    startMs: Number(span.startTimeUnixNano) / 1e6,
    endMs: Number(span.endTimeUnixNano) / 1e6,
    ...(error !== undefined && { error: String(error) }),
    ...(span.status.message !== '' && { message: span.status.message }),
    attributes: attributes as StoredSpan['attributes'], // OTLP has no other values
  };
}
