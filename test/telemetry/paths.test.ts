/** The trace of a request: which span is whose child, and the attributes of each. */
import { call, defineComposition, each, fallback } from 'plait';
import { describe, expect, it } from 'vitest';
import customerOrders from '../../compositions/customer-orders.ts';
import summary from '../../compositions/order-summary.ts';
import tracking from '../../compositions/order-tracking.ts';
import { neverSheds } from '../../src/edge/overload.ts';
import { items, list, maybe, part, priceOf } from '../support/serve.ts';
import { startUpstream } from '../support/upstream.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { WithMocksOptions } from '../support/gateway-with-mocks.ts';
import { clientTrace, startTraced, strays } from './_traced.ts';

/** It stands still until it is told to go on. */
const clock = createFakeClock();
const { telemetry, expectTrace } = await startTraced({ clock });

const shipped = { 'order-summary': summary, 'customer-orders': customerOrders, tracking };

/** The shipped compositions. `ask` gives the answer's status and the trace it is in. */
async function startShipped(options: Partial<WithMocksOptions> = {}) {
  const app = await startWithMocks({ compositions: shipped, telemetry, clock, ...options });
  const ask = async (path: string) => {
    const trace = clientTrace();
    const { status } = await app.get(path, { headers: trace.headers });
    return { ...trace, status };
  };
  return { ...app, ask };
}

/** Its order fails while its payment is waited for. */
async function callOff() {
  const { ask, mocks } = await startShipped();
  mocks.orders.fault([{ match: '*', status: 500, latencyMs: 30 }]);
  mocks.payments.fault([{ match: '*', hang: true }]);
  const { traceId, status } = await ask('/orders/ord_1001/summary');
  expect(status).toBe(502);
  return expectTrace(traceId)`
    SERVER GET /orders/{orderId}/summary  status=502 error.type=500 ERROR
      INTERNAL step order  error.type=500 ERROR
        CLIENT GET /orders/{orderId}  status=500 error.type=500 ERROR
      INTERNAL step payment  cancelled optional
        CLIENT GET /payments  cancelled
      INTERNAL step shipment  fallback
        CLIENT GET /shipments/latest  status=200
  `;
}

describe('a summary', () => {
  it('has its steps below the request, side by side, and their calls below them', async () => {
    const { ask } = await startShipped();
    const { traceId, spanId } = await ask('/orders/ord_1001/summary');
    const spans = await expectTrace(traceId)`
      SERVER GET /orders/{orderId}/summary  status=200
        INTERNAL step order
          CLIENT GET /orders/{orderId}  status=200
        INTERNAL step payment  optional
          CLIENT GET /payments  status=200
        INTERNAL step shipment  fallback
          CLIENT GET /shipments/latest  status=200
    `;
    expect(strays(spans)).toEqual([]);
    expect(spans.find(({ kind }) => kind === 'SERVER')?.parentSpanId).toBe(spanId);
    expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['plait']));
    // The SDK's own times are whole milliseconds.
    const times = spans.flatMap((span) => [span.startTimeUnixNano, span.endTimeUnixNano]);
    const whole = times.filter((time) => time % 1_000_000n === 0n);
    expect(whole.length).toBeLessThan(times.length / 2);
  });

  it('marks what failed where a fallback stands in, and not the request', async () => {
    const { ask, mocks } = await startShipped();
    mocks.shipping.fault([{ match: '*', status: 500 }]);
    const { traceId, status } = await ask('/orders/ord_1001/summary');
    expect(status).toBe(200);
    const spans = await expectTrace(traceId)`
      SERVER GET /orders/{orderId}/summary  status=200 degraded=shipment
        INTERNAL step order
          CLIENT GET /orders/{orderId}  status=200
        INTERNAL step payment  optional
          CLIENT GET /payments  status=200
        INTERNAL step shipment  error.type=500 fallback ERROR
          CLIENT GET /shipments/latest  status=500 error.type=500 ERROR
    `;
    expect(strays(spans)).toEqual([]);
  });

  it('calls nobody for steps that are shed', async () => {
    const { ask } = await startShipped({ overload: { ...neverSheds, shedsSteps: () => true } });
    const { traceId, status } = await ask('/orders/ord_1001/summary');
    expect(status).toBe(200);
    await expectTrace(traceId)`
      SERVER GET /orders/{orderId}/summary  status=200 degraded=payment,shipment
        INTERNAL step order
          CLIENT GET /orders/{orderId}  status=200
        INTERNAL step payment  error.type=shed optional ERROR
        INTERNAL step shipment  error.type=shed fallback ERROR
    `;
  });

  it('is one span when it is refused', async () => {
    const { ask } = await startShipped({ overload: { ...neverSheds, retryAfterSeconds: () => 2 } });
    const { traceId, status } = await ask('/orders/ord_1001/summary');
    expect(status).toBe(503);
    await expectTrace(traceId)`
      SERVER GET /orders/{orderId}/summary  status=503 error.type=503 shed ERROR
    `;
  });

  it('says what failed of a request that failed, and what was called off for it', async () => {
    expect(await callOff()).toHaveLength(7);
  });

  it('has what was called off within what called it off', async () => {
    expect(strays(await callOff())).toEqual([]);
  });
});

describe('a list', () => {
  it('of 25 orders is nine spans', async () => {
    const { ask } = await startShipped();
    const { traceId } = await ask('/customers/cus_1/orders?limit=25');
    const spans = await expectTrace(traceId)`
      SERVER GET /customers/{customerId}/orders  status=200
        INTERNAL step listOrders
          CLIENT GET /orders  status=200
        INTERNAL step orders  items=25
          INTERNAL batch payments.paymentOf  size=25 loads=25
            CLIENT GET /payments  status=200
          INTERNAL batch shipping.shipmentsOf  size=25 loads=25
            CLIENT POST /shipments/search  status=200
    `;
    expect(strays(spans)).toEqual([]);
  });

  it('of 1,000 items is a batch for every hundred, whatever is called how often', async () => {
    const upstream = await startUpstream();
    const prices = items(1_000).map(({ id }) => ({ id, price: 1 }));
    upstream.answerAll((request) => (request.startsWith('GET /lists') ? items(1_000) : prices));
    const thousand = defineComposition({
      route: 'GET /test',
      compose: () => {
        const rows = each(call(list, { name: 'all' }), ({ id }) => call(priceOf, { id }), {
          max: 1_000,
        });
        return { rows };
      },
    });
    const { ask } = await startShipped({
      compositions: { thousand },
      environment: { UPSTREAM_URL: upstream.url },
    });
    const { traceId } = await ask('/test');
    const batches = Array.from(
      { length: 10 },
      () => `
          INTERNAL batch upstream.priceOf  size=100 loads=100
            CLIENT GET /prices  status=200`,
    );
    const spans = await expectTrace(traceId)`
      SERVER GET /test  status=200
        INTERNAL step list
          CLIENT GET /lists/{name}  status=200
        INTERNAL step rows  items=1000${batches.join('')}
    `;
    expect(strays(spans)).toEqual([]);
  });
});

describe('given', () => {
  it('has the steps inside below it, and waits for what it needs', async () => {
    const { ask } = await startShipped();
    const { traceId } = await ask('/orders/ord_1001/tracking');
    const spans = await expectTrace(traceId)`
      SERVER GET /orders/{orderId}/tracking  status=200
        INTERNAL step order
          CLIENT GET /orders/{orderId}  status=200
        INTERNAL step shipmentOf
          CLIENT GET /shipments/latest  status=200
        INTERNAL step tracking
          INTERNAL step tracking.track
            CLIENT GET /tracking/{trackingNumber}  status=200
    `;
    expect(strays(spans)).toEqual([]);
  });

  it('is one span, and no error, where it has nothing to run on', async () => {
    const { ask } = await startShipped();
    const { traceId, status } = await ask('/orders/ord_1002/tracking');
    expect(status).toBe(200);
    await expectTrace(traceId)`
      SERVER GET /orders/{orderId}/tracking  status=200
        INTERNAL step order
          CLIENT GET /orders/{orderId}  status=200
        INTERNAL step shipmentOf
          CLIENT GET /shipments/latest  status=200
        INTERNAL step tracking  skipped
    `;
  });
});

describe('a second source', () => {
  const doubled = defineComposition({
    route: 'GET /doubled/:name',
    compose: ({ params: { name } }) => ({
      it: fallback(call(part, { name }), () => call(maybe, { name })),
    }),
  });

  async function ask(name: string) {
    const upstream = await startUpstream();
    const app = await startShipped({
      compositions: { doubled },
      environment: { UPSTREAM_URL: upstream.url },
    });
    return { upstream, answer: app.ask(`/doubled/${name}`) };
  }

  it('is no span where it is not asked', async () => {
    const { upstream, answer } = await ask('a');
    await upstream.answer('GET /parts/a', { value: 'A' });
    const { traceId, status } = await answer;
    expect(status).toBe(200);
    await expectTrace(traceId)`
      SERVER GET /doubled/{name}  status=200
        INTERNAL step it  fallback
          CLIENT GET /parts/{name}  status=200
    `;
  });

  it('is a span beside the step that has failed, with its calls below', async () => {
    const { upstream, answer } = await ask('b');
    await upstream.answer('GET /parts/b', {}, 404);
    await upstream.answer('GET /maybe/b', { value: 'B' });
    const { traceId } = await answer;
    const spans = await expectTrace(traceId)`
      SERVER GET /doubled/{name}  status=200 degraded=it
        INTERNAL step it  fallback
          CLIENT GET /parts/{name}  status=404 error.type=404 ERROR
        INTERNAL step it.instead
          INTERNAL step it.instead.maybe
            CLIENT GET /maybe/{name}  status=200
    `;
    expect(strays(spans)).toEqual([]);
  });
});
