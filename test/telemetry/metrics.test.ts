import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { DataPoint, Histogram } from '@opentelemetry/sdk-metrics';
import { call, defineComposition, each, operation, optional } from 'plait';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { getOrder, listOrders } from '../../compositions/upstreams/orders.ts';
import { paymentOf as orderPayment } from '../../compositions/upstreams/payments.ts';
import { systemClock } from '../../src/clock.ts';
import type { Overload } from '../../src/edge/overload.ts';
import { createHistograms } from '../../src/telemetry/histograms.ts';
import { producerOf } from '../../src/telemetry/metrics-provider.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { unobserved } from '../../src/telemetry/telemetry.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { open, raw } from '../support/raw-http.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { WithMocksOptions } from '../support/gateway-with-mocks.ts';
import { askForAcceptedWork } from './_accepted.ts';
import { paymentOf, payments } from './_payments.ts';

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
  const histograms = createHistograms();
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 60_000,
    metricProducers: [producerOf(histograms, exporter)],
  });
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
  return { instruments: { meter: provider.getMeter('test'), histograms }, points };
}

it('counts loads, what sharing and caches saved of them, and the sizes of batches', async () => {
  const { instruments, points } = collect();
  const telemetry = { ...unobserved, ...createMetrics(instruments, systemClock) };
  const app = await startWithMocks({ compositions: { page }, telemetry });
  await app.get('/page');
  await app.get('/page');
  app.mocks.payments.fault([{ match: 'GET /payments?*', status: 503 }]);
  expect((await app.get('/page')).status).toBe(502);

  const counted = async (name: string): Promise<Record<string, unknown>> =>
    Object.fromEntries(
      (await points(name)).map(({ attributes, value }) => [
        `${String(attributes['plait.operation'])} ${String(attributes['plait.result'])}`,
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

it('tells loads that were cancelled from those whose request ran out of time', async () => {
  const { instruments, points } = collect();
  const clock = createFakeClock();
  const telemetry = { ...unobserved, ...createMetrics(instruments, clock) };
  const both = defineComposition({
    route: 'GET /both/:id',
    deadlineMs: 1_000,
    compose: ({ params: { id } }) => ({
      order: call(getOrder, { orderId: id }),
      payment: call(orderPayment, { orderId: id }),
    }),
  });
  const app = await startWithMocks({ compositions: { both }, telemetry, clock });
  app.mocks.payments.fault([{ match: '*', hang: true }]);
  expect((await app.get('/both/unknown')).status).toBe(404);
  app.mocks.orders.fault([{ match: '*', hang: true }]);
  const late = app.get('/both/ord_1001');
  await vi.waitFor(() => expect(app.mocks.payments.requests()).toHaveLength(2));
  clock.advance(1_000);
  expect((await late).status).toBe(504);
  const results = (await points('plait.loads')).map(
    ({ attributes }) =>
      `${String(attributes['plait.operation'])} ${String(attributes['plait.result'])}`,
  );
  expect(results.toSorted()).toEqual([
    'orders.getOrder deadline',
    'orders.getOrder status',
    'payments.paymentOf cancelled',
    'payments.paymentOf deadline',
  ]);
});

it('counts answers of lookups that may hide items', async () => {
  const { instruments, points } = collect();
  const telemetry = { ...unobserved, ...createMetrics(instruments, systemClock) };
  const single = defineComposition({
    route: 'GET /single/:id',
    compose: ({ params }) => ({ payment: call(paymentOf, { orderId: params.id }) }),
  });
  const app = await startWithMocks({ compositions: { single }, telemetry });
  app.mocks.payments.fault([{ match: 'GET /payments?*', status: 404, times: 2 }]);
  await app.get('/single/ord_1001');
  await app.get('/single/ord_1001');
  app.mocks.payments.fault([]);
  await app.get('/single/ord_unknown');
  await app.get('/single/ord_1001');
  const counted = await points('plait.lookup.doubts');
  expect(counted.map(({ attributes, value }) => [attributes['plait.result'], value])).toEqual([
    ['not-found', 2],
    ['fewer', 1],
  ]);
});

it('counts work that was only accepted, where nothing looks at that', async () => {
  const { instruments, points } = collect();
  const telemetry = { ...unobserved, ...createMetrics(instruments, systemClock) };
  await askForAcceptedWork(telemetry);
  expect((await points('plait.accepted')).map(({ value }) => value)).toEqual([1]);
  expect(await points('plait.lookup.doubts')).toEqual([]);
});

const order = defineComposition({
  route: 'GET /orders/:orderId',
  compose: ({ params }) => ({
    order: call(getOrder, { orderId: params.orderId }),
    payment: optional(call(orderPayment, { orderId: params.orderId })),
  }),
});

async function startMetered(options: Partial<WithMocksOptions> = {}) {
  const { instruments, points } = collect();
  const clock = options.clock ?? systemClock;
  const telemetry = { ...unobserved, ...createMetrics(instruments, clock) };
  const app = await startWithMocks({ compositions: { order }, telemetry, ...options });
  const histogram = async (name: string) =>
    ((await points(name)) as DataPoint<Histogram>[]).map(({ attributes, value }) => ({
      attributes,
      count: value.count,
      sum: value.sum,
    }));
  return {
    app,
    points,
    requests: () => histogram('http.server.request.duration'),
    attempts: () => histogram('http.client.request.duration'),
  };
}

describe('the duration of a request', () => {
  it('is in seconds, by method, route and status', async () => {
    const clock = createFakeClock();
    const { app, requests } = await startMetered({ clock });
    app.mocks.orders.fault([{ match: '*', hang: true }]);
    const headers = { 'x-request-timeout-ms': '1500' };
    const answer = app.get('/orders/ord_1001', { headers });
    await expect.poll(() => app.mocks.orders.requests().length).toBe(1);
    clock.advance(1_500);
    expect((await answer).status).toBe(504);
    expect(await requests()).toEqual([
      {
        attributes: {
          'http.request.method': 'GET',
          'http.response.status_code': 504,
          'url.scheme': 'http',
          'network.protocol.version': '1.1',
          'http.route': '/orders/{orderId}',
          'error.type': 'deadline',
        },
        count: 1,
        sum: 1.5,
      },
    ]);
  });

  it('makes no new series for new ids, paths or methods', async () => {
    const { app, requests } = await startMetered();
    for (let round = 0; round < 10; round += 1) {
      const ids = Array.from({ length: 20 }, (_, index) => `${round}_${index}`);
      await Promise.all(ids.map((id) => app.get(`/orders/none_${id}`)));
    }
    for (const path of ['/a', '/b?c=d', '/orders/a/b']) await app.get(path);
    for (const method of ['PROPFIND', 'PURGE', 'LINK'])
      await raw(app.url, `${method} /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    const base = {
      'http.response.status_code': 404,
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
    };
    const route = { 'http.route': '/orders/{orderId}' };
    expect((await requests()).map(({ attributes, count }) => ({ ...attributes, count }))).toEqual([
      { ...base, 'http.request.method': 'GET', ...route, count: 200 },
      { ...base, 'http.request.method': 'GET', count: 3 },
      { ...base, 'http.request.method': '_OTHER', count: 3 },
    ]);
  });

  it('has a client that left as what it is, and no health check', async () => {
    const { app, requests } = await startMetered();
    app.mocks.orders.fault([{ match: '*', hang: true }]);
    await app.get('/livez');
    const socket = await open(app.url);
    socket.write('GET /orders/ord_1 HTTP/1.1\r\nhost: a\r\n\r\n');
    await expect.poll(() => app.mocks.orders.requests().length).toBe(1);
    socket.destroy();
    await expect.poll(async () => (await requests()).length).toBe(1);
    expect((await requests())[0]?.attributes).toMatchObject({ 'http.response.status_code': 499 });
  });
});

describe('the duration of a call', () => {
  it('is one for every attempt, by service, template and how it ended', async () => {
    const { app, attempts } = await startMetered();
    app.mocks.payments.fault([
      { match: '*', status: 503, times: 1 },
      { match: '*', reset: true },
    ]);
    expect((await app.get('/orders/ord_1001')).json.payment).toBeNull();
    const found = await attempts();
    const service = (name: 'orders' | 'payments') => ({
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(app.mocks[name].url).port),
      'service.peer.name': name,
    });
    const toPayments = { ...service('payments'), 'url.template': '/payments' };
    expect(found.map(({ attributes, count }) => ({ ...attributes, count }))).toEqual(
      expect.arrayContaining([
        {
          ...service('orders'),
          'url.template': '/orders/{orderId}',
          'http.response.status_code': 200,
          count: 1,
        },
        { ...toPayments, 'http.response.status_code': 503, 'error.type': '503', count: 1 },
        { ...toPayments, 'error.type': 'reset', count: 1 },
      ]),
    );
    expect(found).toHaveLength(3);
    for (const { sum } of found) {
      expect(sum).toBeGreaterThan(0);
      expect(sum).toBeLessThan(1);
    }
  });
});

it('counts steps that were left out, and apart from them requests that were refused', async () => {
  const now: { sheds: boolean; retryAfter: number | undefined } = {
    sheds: true,
    retryAfter: undefined,
  };
  const overload: Overload = {
    shedsSteps: () => now.sheds,
    retryAfterSeconds: () => now.retryAfter,
    pressure: 1.5,
    lag: { delayMs: 120, utilisation: 0.75 },
    close: () => undefined,
  };
  const { app, points } = await startMetered({ overload });
  await app.get('/orders/ord_1001');
  now.retryAfter = 1;
  for (let count = 0; count < 2; count += 1) await app.get('/orders/ord_1001');
  const shed = await points('plait.shed');
  expect(shed.map(({ attributes, value }) => [attributes['plait.kind'], value])).toEqual([
    ['step', 1],
  ]);
  const refused = await points('plait.refusals');
  expect(
    refused.map(({ attributes: labels, value }) => [
      labels['plait.reason'],
      labels['plait.limit'],
      value,
    ]),
  ).toEqual([
    ['overload', 'SHED_DELAY_MS', 2],
    ['in-progress', 'REQUESTS_IN_PROGRESS', 0],
    ['in-progress', 'REQUESTS_PER_ADDRESS', 0],
    ['rate-limit', 'rateLimits.perAddress', 0],
    ['rate-limit', 'rateLimits.perPrincipal', 0],
    ['rate-limit', 'rateLimit', 0],
  ]);
  const gauge = async (name: string) => (await points(name)).map(({ value }) => value);
  expect(await gauge('plait.overload.pressure')).toEqual([1.5]);
  expect(await gauge('nodejs.eventloop.utilization')).toEqual([0.75]);
  expect(await gauge('nodejs.eventloop.delay.max')).toEqual([0.12]);
});

it('counts attempts that are made again, by operation', async () => {
  const { app, points } = await startMetered();
  app.mocks.orders.fault([{ match: '*', status: 503, times: 1 }]);
  expect((await app.get('/orders/ord_1001')).status).toBe(200);
  expect(
    (await points('plait.retries')).map(({ attributes, value }) => ({ ...attributes, value })),
  ).toEqual([{ 'plait.operation': 'orders.getOrder', value: 1 }]);
});

it('counts no attempt that was not made, since its client left in the pause before it', async () => {
  const { app, points, attempts } = await startMetered({ clock: createFakeClock() });
  app.mocks.orders.fault([{ match: '*', status: 503 }]);
  const socket = await open(app.url);
  socket.write('GET /orders/ord_1001 HTTP/1.1\r\nhost: a\r\n\r\n');
  const failed = async () =>
    (await attempts()).filter(({ attributes }) => attributes['error.type'] === '503');
  await expect.poll(async () => (await failed()).length).toBe(1);
  socket.destroy();
  const active = async () => (await points('http.server.active_requests'))[0]?.value;
  await expect.poll(active).toBe(0);
  expect(await points('plait.retries')).toEqual([]);
});

it('counts attempts that are made beside a slow one, by operation', async () => {
  const clock = createFakeClock();
  const hedged = operation(payments, {
    name: 'hedged',
    route: 'GET /payments/:paymentId',
    response: z.object({ id: z.string() }),
    hedge: { afterP: 0.5, maxExtra: 0.9 },
  });
  const compositions = {
    hedged: defineComposition({
      route: 'GET /hedged/:id',
      compose: ({ params }) => ({ payment: call(hedged, { paymentId: params.id }) }),
    }),
  };
  const { app, points } = await startMetered({ clock, compositions });
  const paths = Array.from({ length: 40 }, () => '/hedged/pay_1001');
  // Hedging begins when latencies are known.
  for (const path of paths) await app.get(path);
  app.mocks.payments.fault([{ match: '*', hang: true, times: 1 }]);
  const { length } = app.mocks.payments.requests();
  const late = app.get('/hedged/pay_1001');
  await vi.waitFor(() => expect(app.mocks.payments.requests()).toHaveLength(length + 1));
  clock.advance(100);
  expect((await late).status).toBe(200);
  const counted = await points('plait.hedges');
  expect(counted.map(({ attributes, value }) => ({ ...attributes, value }))).toEqual([
    { 'plait.operation': 'payments.hedged', value: 1 },
  ]);
  expect(await points('plait.retries')).toEqual([]);
});

it('knows the requests that are under way, and none when they have ended', async () => {
  const { app, points } = await startMetered();
  const active = async () =>
    (await points('http.server.active_requests')).map(({ attributes, value }) => ({
      ...attributes,
      value,
    }));
  const labels = { 'http.request.method': 'GET', 'url.scheme': 'http' };
  app.mocks.orders.fault([{ match: '*', hang: true }]);
  const headers = { 'x-request-timeout-ms': '400' };
  const answer = app.get('/orders/ord_1001', { headers });
  await vi.waitFor(() => expect(app.mocks.orders.requests()).toHaveLength(1));
  expect(await active()).toEqual([{ ...labels, value: 1 }]);
  await answer;
  expect(await active()).toEqual([{ ...labels, value: 0 }]);
});

it('knows the connections of clients that are open', async () => {
  const { app, points } = await startMetered();
  const value = async () => (await points('plait.connections'))[0]?.value;
  expect(await value()).toBe(0);
  const sockets = [await open(app.url), await open(app.url)];
  await expect.poll(value).toBe(2);
  for (const socket of sockets) socket.destroy();
  await expect.poll(value).toBe(0);
});

it('counts requests that could not be read, by their status', async () => {
  const { app, points } = await startMetered();
  const end = 'host: a\r\nconnection: close\r\n';
  await raw(app.url, `GET / HTTP/1.1\r\n${end}a b: c\r\n\r\n`);
  await raw(app.url, `GET / HTTP/1.1\r\n${end}a: ${'b'.repeat(70_000)}\r\n\r\n`);
  await raw(app.url, `CONNECT a:1 HTTP/1.1\r\n${end}\r\n`);
  await app.get('/orders/none');
  const unreadable = await points('plait.unreadable_requests');
  expect(
    unreadable.map(({ attributes, value }) => [attributes['http.response.status_code'], value]),
  ).toEqual([
    [400, 1],
    [431, 1],
    [405, 1],
  ]);
});

it('counts compositions that are served, and those that are not', async () => {
  const notServed = ['one', 'two'].map((name) => ({ name, reason: 'is broken' }));
  const { points } = await startMetered({ notServed });
  const counted = await points('plait.compositions');
  expect(counted.map(({ attributes, value }) => [attributes['plait.state'], value])).toEqual([
    ['served', 1],
    ['not-served', 2],
  ]);
});

it('tells its version, and how many calls a bulkhead lets through', async () => {
  const { points } = await startMetered();
  const values = async (name: string) =>
    (await points(name)).map(({ attributes, value }) => ({ ...attributes, value }));
  expect(await values('plait.build.info')).toEqual([
    {
      'plait.version': expect.stringMatching(/^\d+\.\d+\.\d+/),
      'process.runtime.version': process.version,
      value: 1,
    },
  ]);
  expect(await values('plait.bulkhead.limit')).toContainEqual({
    'plait.service': 'orders',
    value: expect.toSatisfy((limit: number) => limit > 0),
  });
});
