/**
 * Traces of situations as files for Jaeger's "Upload", in `test/golden/traces/`. A change of what
 * spans look like changes them: `vitest run -u` writes them again.
 */
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { createFakeClock } from '../support/fake-clock.ts';
import { toJaeger } from '../support/jaeger.ts';
import type { SinkSpan } from '../support/otlp-sink.ts';
import { isRedisSkipped } from '../support/redis.ts';
import { clientSituations } from './_client-situations.ts';
import { sharingSituations } from './_sharing-situations.ts';
import { situations } from './_situations.ts';
import { stateSituations } from './_state-situations.ts';
import { startTracedShop } from './_traced-shop.ts';
import { startTraced } from './_traced.ts';

const clock = createFakeClock();
const warnings: string[] = [];
const { telemetry, sink } = await startTraced({
  clock,
  // The traces of clients at other addresses of this machine are foreign: only in production.
  environment: {
    NODE_ENV: 'production',
    TRUSTED_PEERS: '127.0.0.1',
    OTEL_TRACES_SAMPLER: 'parentbased_always_on',
  },
  onWarning: (message) => warnings.push(message),
});
const folder = join(import.meta.dirname, '../golden/traces');

/** Spans take as long as the clock says, and each moment is a microsecond after the one before. */
function stopTime(): void {
  let [at, order] = [clock.now(), 0];
  performance.now = function stoppedTime() {
    order = clock.now() === at ? order + 1 : 0;
    at = clock.now();
    return at + order * 0.001;
  };
}

// For the whole file, so that no span begins by one time and ends by another.
const { now } = performance;
stopTime();
afterAll(() => void (performance.now = now));

/** All spans of the trace of a request, once that has ended and nothing comes after it. */
async function spansOf(clientTraceId: string): Promise<readonly SinkSpan[]> {
  const linked = (): SinkSpan | undefined =>
    sink.spans.find(({ attributes }) => attributes['plait.client_trace_id'] === clientTraceId);
  const found = (): SinkSpan[] => {
    const traceId = linked()?.traceId ?? clientTraceId;
    return sink.spans.filter((span) => span.traceId === traceId);
  };
  await vi.waitFor(() => expect(found().some(({ kind }) => kind === 'SERVER')).toBe(true), {
    timeout: 5_000,
    interval: 10,
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  return found();
}

const all = Object.entries({
  ...situations,
  ...sharingSituations,
  ...stateSituations,
  ...clientSituations,
});
const here = all.filter(([name]) => !(isRedisSkipped && name === 'redis-gone'));

it.each(here)('shows %s', async (name, run) => {
  const start: Parameters<typeof run>[0]['start'] = (options) =>
    startTracedShop({ clock, telemetry, ...options });
  const asked = await run({ clock, start });
  const traces = await Promise.all(asked.map(({ traceId }) => spansOf(traceId)));
  await expect(toJaeger(traces)).toMatchFileSnapshot(join(folder, `${name}.json`));
});

it('warns of nothing but a foreign trace', () => {
  expect(warnings).toEqual([expect.stringContaining('127.0.0.2 has a traceparent')]);
});
