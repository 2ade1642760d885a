import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { DataPoint, Histogram } from '@opentelemetry/sdk-metrics';
import { call, defineComposition, defineService, each, lookup, operation } from 'plait';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { listOrders } from '../../compositions/upstreams/orders.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { unobserved } from '../../src/telemetry/telemetry.ts';
import { start } from '../start.ts';

const payments = defineService({ name: 'payments', url: { env: 'PAYMENTS_URL' } });
const paymentOf = lookup(payments, {
  name: 'paymentOf',
  route: 'GET /payments',
  keys: { query: 'orderIds' },
  by: 'orderId',
  item: z.object({ orderId: z.string() }),
});
const payment = operation(payments, {
  name: 'payment',
  route: 'GET /payments/:paymentId',
  response: z.object({ id: z.string() }),
  cache: { ttlMs: 60_000 },
});

const page = defineComposition({
  route: 'GET /page',
  compose: () => ({
    rows: each(call(listOrders, { customerId: 'cus_1', limit: 10 }).items, ({ id }) => [
      call(paymentOf, { orderId: id }),
      call(paymentOf, { orderId: id }),
    ]),
    kept: call(payment, { paymentId: 'pay_1001' }),
  }),
});

function collect() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const points = async (name: string): Promise<DataPoint<unknown>[]> => {
    await reader.forceFlush();
    const metrics =
      exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return metrics
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }): DataPoint<unknown>[] => dataPoints);
  };
  return { meter: provider.getMeter('test'), points };
}

it('counts loads, what sharing and caches saved of them, and the sizes of batches', async () => {
  const { meter, points } = collect();
  const telemetry = { ...unobserved, ...createMetrics(meter) };
  const app = await start({ compositions: { page }, telemetry });
  await app.get('/page');
  await app.get('/page');
  app.mocks.payments.fault([{ match: 'GET /payments?*', status: 503 }]);
  expect((await app.get('/page')).status).toBe(502);

  const counted = async (name: string): Promise<Record<string, unknown>> =>
    Object.fromEntries(
      (await points(name)).map(({ attributes, value }) => [
        `${String(attributes['plait.operation'])} ${String(attributes['result'])}`,
        value,
      ]),
    );
  expect(await counted('plait.loads')).toEqual({
    'orders.listOrders sent': 3,
    'payments.payment sent': 1,
    'payments.payment cached': 2,
    'payments.paymentOf sent': 20,
    'payments.paymentOf deduplicated': 20,
    'payments.paymentOf status': 20,
  });
  expect(await counted('plait.cache')).toEqual({
    'payments.payment miss': 1,
    'payments.payment hit': 2,
  });
  const [sizes] = (await points('plait.batch.size')) as DataPoint<Histogram>[];
  expect(sizes?.value).toMatchObject({ count: 3, min: 10, max: 10 });
});
