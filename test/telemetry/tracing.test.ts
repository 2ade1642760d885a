import { SpanStatusCode } from '@opentelemetry/api';
import {
  RandomIdGenerator,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import {
  call,
  defineComposition,
  defineService,
  each,
  given,
  lookup,
  map,
  operation,
  optional,
} from 'plait';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { getOrder } from '../../compositions/upstreams/orders.ts';
import { paymentOf, payments } from '../../compositions/upstreams/payments.ts';
import { shipmentOf, track } from '../../compositions/upstreams/shipping.ts';
import { orders } from '../../mocks/data.ts';
import { systemClock } from '../../src/clock.ts';
import { combine, propagation, unobserved } from '../../src/telemetry/telemetry.ts';
import { createSampler } from '../../src/telemetry/sampler.ts';
import type { SamplerSettings } from '../../src/telemetry/settings.ts';
import { createTracing } from '../../src/telemetry/tracing.ts';
import { isWithin, loopback } from '../../src/network.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';
import { askForAcceptedWork } from './_accepted.ts';

/** Telemetry that keeps its spans here. */
function record(root: SamplerSettings['root'] = 'always_on') {
  const exporter = new InMemorySpanExporter();
  const ids = new RandomIdGenerator();
  const settings = { root, parentBased: false, ratio: 1 };
  const sampler = createSampler(settings, () => ids.generateTraceId());
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    sampler,
  });
  onTestFinished(() => provider.shutdown());
  const tracing = createTracing({
    tracer: provider.getTracer('test'),
    sampler,
    ids,
    clock: systemClock,
    isTrusted: () => false,
  });
  return {
    telemetry: { ...unobserved, ...tracing },
    spans: () => exporter.getFinishedSpans(),
    named: (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name),
  };
}

function one(spans: readonly ReadableSpan[]): ReadableSpan {
  const [span] = spans;
  if (span === undefined || spans.length !== 1) throw new Error(`${spans.length} spans, not one`);
  return span;
}

const payment = defineComposition({
  route: 'GET /payments/:orderId',
  compose: ({ params }) => ({ payment: optional(call(paymentOf, { orderId: params.orderId })) }),
});

/** Calls wait a while for others, so that several requests are sure to share. */
const patient = lookup(payments, {
  name: 'patient',
  route: 'GET /payments',
  keys: { query: 'orderIds' },
  by: 'orderId',
  item: z.object({ orderId: z.string() }),
  windowMs: 200,
});

it('marks the attempt of a lookup whose answer may hide items', async () => {
  const { telemetry, named } = record();
  const doubtful = defineComposition({
    route: 'GET /doubtful/:orderId',
    compose: ({ params }) => ({ payment: call(patient, { orderId: params.orderId }) }),
  });
  const app = await startWithMocks({ compositions: { doubtful }, telemetry });
  await app.get('/doubtful/ord_unknown');
  expect(one(named('GET /payments')).attributes).toMatchObject({ 'plait.lookup.doubt': 'fewer' });
  await app.get('/doubtful/ord_1001');
  expect(named('GET /payments').at(-1)?.attributes).not.toHaveProperty(['plait.lookup.doubt']);
});

it('marks the attempt of work that was only accepted, where nothing looks at that', async () => {
  const { telemetry, named } = record();
  await askForAcceptedWork(telemetry);
  expect(one(named('POST /jobs')).attributes).toMatchObject({ 'plait.accepted': true });
});

it('counts the redirects that an attempt has followed', async () => {
  const { telemetry, named } = record();
  const server = await startServer((request, response) => {
    if (request.url === '/b') response.end('null');
    else response.writeHead(302, { location: '/b' }).end();
  });
  const moving = defineService({ name: 'moving', url: server.url, redirects: 'follow' });
  const get = operation(moving, { name: 'get', route: 'GET /a', response: z.null() });
  const moved = defineComposition({ route: 'GET /moved', compose: () => ({ it: call(get, {}) }) });
  const app = await startWithMocks({ compositions: { moved }, telemetry });
  await app.get('/moved');
  const { attributes } = one(named('GET /a'));
  expect(attributes).toMatchObject({ 'plait.redirects': 1, 'http.response.status_code': 200 });
});

describe('a batch for several requests', () => {
  const shared = defineComposition({
    route: 'GET /shared/:orderId',
    compose: ({ params }) => ({ payment: call(patient, { orderId: params.orderId }) }),
  });

  it('is in the trace of the first, links to the steps of the others, and counts its loads', async () => {
    const { telemetry, named } = record();
    const app = await startWithMocks({ compositions: { shared }, telemetry });
    const ids = ['ord_1001', 'ord_1003', 'ord_1003'];
    await Promise.all(ids.map((id) => app.get(`/shared/${id}`)));

    const batch = one(named('batch payments.patient'));
    const steps = named('step payment');
    const first = steps.find(
      (step) => step.spanContext().spanId === batch.parentSpanContext?.spanId,
    );
    expect(first?.spanContext().traceId).toBe(batch.spanContext().traceId);
    const others = steps.filter((step) => step !== first).map((step) => step.spanContext());
    expect(others.length).toBe(2);
    expect(batch.links.map(({ context }) => context.spanId).toSorted()).toEqual(
      others.map(({ spanId }) => spanId).toSorted(),
    );
    for (const { traceId } of others) expect(traceId).not.toBe(batch.spanContext().traceId);
    expect(batch.attributes).toMatchObject({ 'plait.batch.size': 2, 'plait.batch.loads': 3 });
    expect(batch.attributes['plait.batch.wait_ms']).toBeGreaterThan(0);
    // The second to ask for the same key joined the first.
    const joined = steps.filter(({ attributes }) => attributes['plait.step.deduplicated'] === true);
    expect(joined.length).toBe(1);
  });
});

describe('a list', () => {
  it('of a hundred items makes few spans', async () => {
    const list = defineComposition({
      route: 'GET /list',
      compose() {
        const ids = map({}, () => orders.map(({ id }) => id));
        return {
          rows: each(ids, (orderId) => ({
            payment: call(paymentOf, { orderId }),
            shipment: call(shipmentOf, { orderId }),
          })),
        };
      },
    });
    const { telemetry, spans, named } = record();
    const app = await startWithMocks({ compositions: { list }, telemetry });
    expect((await app.get('/list')).status).toBe(200);
    expect(
      spans()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual([
      'GET /list',
      'GET /payments',
      'GET /shipments/latest',
      'batch payments.paymentOf',
      'batch shipping.shipmentOf',
      'step rows',
    ]);
    expect(one(named('step rows')).attributes['plait.step.items']).toBe(orders.length);
    expect(one(named('batch payments.paymentOf')).links).toEqual([]);
  });
});

describe('what went otherwise', () => {
  const order = defineComposition({
    route: 'GET /orders/:orderId',
    compose({ params }) {
      const shipment = call(shipmentOf, { orderId: params.orderId });
      return {
        order: call(getOrder, { orderId: params.orderId }),
        payment: optional(call(paymentOf, { orderId: params.orderId })),
        tracking: given(shipment, (present) =>
          call(track, { trackingNumber: present.trackingNumber }),
        ),
      };
    },
  });

  it('a tolerated failure marks its own span, and the request says what is missing', async () => {
    const { telemetry, named } = record();
    const app = await startWithMocks({ compositions: { order }, telemetry });
    app.mocks.payments.fault([{ match: '*', status: 503 }]);
    await app.get('/orders/ord_1001');

    const attempts = named('GET /payments');
    expect(attempts.map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([
      undefined,
      1,
    ]);
    for (const { name, status, attributes } of [...attempts, one(named('step payment'))]) {
      expect(status.code, name).toBe(SpanStatusCode.ERROR);
      expect(attributes['error.type'], name).toBe('503');
    }
    const request = one(named('GET /orders/{orderId}').filter(({ kind }) => kind === 1));
    expect(request.status.code).toBe(SpanStatusCode.UNSET);
    expect(request.attributes['plait.degraded']).toEqual(['payment']);
  });

  it('a step that took longer than its withinMs is an error, and its call was called off', async () => {
    const { telemetry, named } = record();
    const hurried = defineComposition({
      route: 'GET /hurried/:orderId',
      compose: ({ params: { orderId } }) => ({
        payment: optional(call(paymentOf, { orderId }), { withinMs: 20 }),
      }),
    });
    const app = await startWithMocks({ compositions: { hurried }, telemetry });
    app.mocks.payments.fault([{ match: '*', hang: true }]);
    expect((await app.get('/hurried/ord_1001')).json).toMatchObject({ payment: null });
    await expect.poll(() => named('GET /payments').length).toBe(1);
    const step = one(named('step payment'));
    expect(step.status.code).toBe(SpanStatusCode.ERROR);
    expect(step.attributes['error.type']).toBe('late');
    expect(one(named('GET /payments')).attributes['plait.cancelled']).toBe(true);
  });

  it('a skip is a span that says so, and no error', async () => {
    const { telemetry, named } = record();
    const app = await startWithMocks({ compositions: { order }, telemetry });
    await app.get('/orders/ord_1002');
    const skipped = one(named('step tracking'));
    expect(skipped.attributes['plait.step.skipped']).toBe(true);
    expect(skipped.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('a call that was called off is no error; the one that failed is', async () => {
    const { telemetry, named } = record();
    const app = await startWithMocks({ compositions: { order }, telemetry });
    app.mocks.orders.fault([{ match: '*', status: 500, latencyMs: 50 }]);
    app.mocks.payments.fault([{ match: '*', hang: true }]);
    expect((await app.get('/orders/ord_1001')).status).toBe(502);
    await expect.poll(() => named('GET /payments').length).toBe(1);
    expect(one(named('GET /payments')).status.code).toBe(SpanStatusCode.UNSET);
    expect(one(named('GET /payments')).attributes['plait.cancelled']).toBe(true);
    expect(one(named('step order')).status.code).toBe(SpanStatusCode.ERROR);
    const request = one(named('GET /orders/{orderId}').filter(({ kind }) => kind === 1));
    expect(request.status.code).toBe(SpanStatusCode.ERROR);
    expect(request.attributes['error.type']).toBe('500');
  });
});

describe('a request that is not sampled', () => {
  it('records nothing, and its services get a trace of ours, marked as not sampled', async () => {
    const { telemetry, spans } = record('always_off');
    const app = await startWithMocks({ compositions: { payment }, telemetry });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    await app.get('/payments/ord_1001', { headers });
    expect(spans()).toEqual([]);
    const [asked] = app.mocks.payments.requests();
    expect(asked?.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(asked?.headers['traceparent']).not.toContain(traceId);
  });
});

describe('telemetry that is off', () => {
  const ids = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';
  const headers = { traceparent: `${ids}-01` };

  it('begins a trace in place of that of a client which is not trusted', async () => {
    const app = await startWithMocks({ compositions: { payment } });
    await app.get('/payments/ord_1001', { headers: { ...headers, tracestate: 'vendor=1' } });
    const [asked] = app.mocks.payments.requests();
    expect(asked?.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(asked?.headers['traceparent']).not.toContain(ids.slice(3, 35));
    expect(asked?.headers).not.toHaveProperty('tracestate');
  });

  it('hands it on as it came from a peer that is trusted', async () => {
    const telemetry = combine([propagation({ isTrusted: isWithin(loopback) })]);
    const app = await startWithMocks({ compositions: { payment }, telemetry });
    await app.get('/payments/ord_1001', { headers: { ...headers, tracestate: 'vendor=1' } });
    expect(app.mocks.payments.requests()[0]?.headers).toMatchObject({
      traceparent: `${ids}-01`,
      tracestate: 'vendor=1',
    });
  });

  it('hands on nothing else that a client may write there', async () => {
    const app = await startWithMocks({ compositions: { payment } });
    await app.get('/payments/ord_1001', { headers: { traceparent: '00-secret-text-01' } });
    expect(app.mocks.payments.requests()[0]?.headers).not.toHaveProperty('traceparent');
  });
});

describe('a health check', () => {
  it('is not recorded; an id that looks like one is', async () => {
    const { telemetry, spans } = record();
    const app = await startWithMocks({ compositions: { payment }, telemetry });
    await app.get('/livez');
    await app.get('/readyz');
    expect(spans()).toEqual([]);
    await app.get('/payments/livez');
    await app.get('/nowhere?x=/readyz');
    expect(
      spans()
        .filter(({ kind }) => kind === 1)
        .map(({ name }) => name),
    ).toEqual(['GET /payments/{orderId}', 'GET']);
  });
});
