/**
 * Traces of situations as files for Jaeger's "Upload", in `test/golden/traces/`. A change of what
 * spans look like changes them: `vitest run -u` writes them again.
 */
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { createFakeClock } from '../support/fake-clock.ts';
import { toJaeger } from '../support/jaeger.ts';
import type { SinkSpan } from '../support/otlp-sink.ts';
import { situations } from './_situations.ts';
import { startTracedShop } from './_traced-shop.ts';
import { startTraced } from './_traced.ts';

const clock = createFakeClock();
const { telemetry, sink } = await startTraced({
  clock,
  environment: { TRUSTED_PEERS: '127.0.0.0/8' },
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

/** All spans of a trace, once that of its request has ended and nothing comes after it. */
async function spansOf(traceId: string): Promise<readonly SinkSpan[]> {
  const found = (): SinkSpan[] => sink.spans.filter((span) => span.traceId === traceId);
  await vi.waitFor(() => expect(found().some(({ kind }) => kind === 'SERVER')).toBe(true), {
    timeout: 5_000,
    interval: 10,
  });
  await new Promise((resolve) => setTimeout(resolve, 60));
  return found();
}

it.each(Object.entries(situations))('shows %s', async (name, run) => {
  const start: Parameters<typeof run>[0]['start'] = (options) =>
    startTracedShop({ clock, telemetry, ...options });
  const asked = await run({ clock, start });
  const traces = await Promise.all(asked.map(({ traceId }) => spansOf(traceId)));
  await expect(toJaeger(traces)).toMatchFileSnapshot(join(folder, `${name}.json`));
});
