/** Requests that are not recorded: what telemetry does for them, and what it leaves undone. */
import { RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, it, onTestFinished, vi } from 'vitest';
import summary from '../../compositions/order-summary.ts';
import { systemClock } from '../../src/clock.ts';
import { createSampler } from '../../src/telemetry/sampler.ts';
import { unobserved } from '../../src/telemetry/telemetry.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { createTracing } from '../../src/telemetry/tracing.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';

/** A gateway that records nothing; `spans` counts those that were made all the same. */
async function startUnrecorded(isTrusted = false) {
  const ids = new RandomIdGenerator();
  const settings = { root: 'always_off', parentBased: false, ratio: 0 } as const;
  const sampler = createSampler(settings, () => ids.generateTraceId());
  const provider = new TracerProvider({ sampler });
  onTestFinished(() => provider.shutdown());
  const tracer = provider.getTracer('test');
  const spans = vi.spyOn(tracer, 'startSpan');
  const tracing = createTracing({
    tracer,
    sampler,
    ids,
    clock: systemClock,
    isTrusted: () => isTrusted,
  });
  const watched = vi.fn<NonNullable<Telemetry['watchSteps']>>((request) =>
    tracing.watchSteps?.(request),
  );
  const telemetry = { ...unobserved, ...tracing, watchSteps: watched };
  const app = await startWithMocks({ compositions: { summary }, telemetry });
  return { ...app, spans, watched };
}

it('a request that is not recorded makes no span, and nobody watches its steps', async () => {
  const { get, spans, watched } = await startUnrecorded();
  expect((await get('/orders/ord_1001/summary')).status).toBe(200);
  expect(spans).not.toHaveBeenCalled();
  expect(watched.mock.results.map(({ value }) => value)).toEqual([undefined]);
});

it('all its calls hand on one header, with its own ids', async () => {
  const { get, mocks } = await startUnrecorded();
  await get('/orders/ord_1001/summary');
  const sent = [mocks.orders, mocks.payments, mocks.shipping].flatMap((service) =>
    service.requests().map(({ headers }) => headers['traceparent']),
  );
  expect(sent).toHaveLength(3);
  expect(new Set(sent).size).toBe(1);
  expect(sent[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

it('the tracestate of a trusted client is handed on beside its trace', async () => {
  const { get, mocks } = await startUnrecorded(true);
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'vendor=1' };
  await get('/orders/ord_1001/summary', { headers });
  const [asked] = mocks.orders.requests();
  expect(asked?.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  expect(asked?.headers['tracestate']).toBe('vendor=1');
});
