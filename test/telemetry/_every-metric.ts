/** A gateway to which everything has happened that can be counted. */
import { call, defineComposition, operation, optional } from 'plait';
import { expect, onTestFinished, vi } from 'vitest';
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
import { raw } from '../support/raw-http.ts';
import { askForAcceptedWork } from './_accepted.ts';
import { paymentOf, payments } from './_payments.ts';

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

/** Resolves to the text of /metrics; the same metrics have gone to `collector`. */
export async function countEverything(collector: string): Promise<string> {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector);
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
  return metering.text();
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
