import { describe, expect, it } from 'vitest';
import type { Fault } from '../../mocks/server.ts';
import { orders, payments, shipments } from '../../mocks/data.ts';
import { startShipped } from '../support/shipped.ts';
import type { Shipped } from '../support/shipped.ts';

const path = '/orders/ord_1001/summary';
const services = ['orders', 'payments', 'shipping'] as const;

function askedServices({ paths }: Shipped): string[] {
  return services.filter((service) => paths(service).length > 0);
}

describe('the summary of an order', () => {
  it('merges the order, its payment and its shipment', async () => {
    const gateway = await startShipped();
    const { status, headers, json } = await gateway.get(path);
    const [order] = orders;
    const payment = payments.find(({ orderId }) => orderId === 'ord_1001');
    const shipment = shipments.findLast(({ orderId }) => orderId === 'ord_1001');
    expect(status).toBe(200);
    expect(json).toEqual({
      order: { id: 'ord_1001', status: order?.status, total: order?.total, currency: 'EUR' },
      payment,
      shipment: { ...shipment, shippedAt: undefined },
      late: false,
    });
    expect(headers.has('plait-degraded')).toBe(false);
  });

  it('has no payment and no shipment before there are any, and that is no failure', async () => {
    const gateway = await startShipped();
    const { headers, json } = await gateway.get('/orders/ord_1002/summary');
    expect(json).toEqual({
      order: { id: 'ord_1002', status: 'pending', total: expect.any(Number), currency: 'EUR' },
      payment: null,
      shipment: null,
      late: false,
    });
    expect(headers.has('plait-degraded')).toBe(false);
  });

  it('asks each service once', async () => {
    const gateway = await startShipped();
    await gateway.get(path);
    expect(services.map(gateway.paths)).toEqual([
      ['/orders/ord_1001'],
      ['/payments?orderIds=ord_1001'],
      ['/shipments/latest?orderId=ord_1001'],
    ]);
  });

  it('has asked all three services before the first one answers', async () => {
    const gateway = await startShipped({
      faults: { orders: { hang: true }, payments: { hang: true }, shipping: { hang: true } },
    });
    const client = new AbortController();
    const gone = gateway.get(path, { signal: client.signal }).catch((error: Error) => error.name);
    await expect.poll(() => askedServices(gateway)).toEqual(services);
    client.abort();
    expect(await gone).toBe('AbortError');
  });

  it('takes as long as the slowest service, not as all of them together', async () => {
    const slow = { latencyMs: 500 };
    const gateway = await startShipped({
      faults: { orders: slow, payments: slow, shipping: slow },
    });
    const startedAt = performance.now();
    expect((await gateway.get(path)).status).toBe(200);
    const tookMs = performance.now() - startedAt;
    // One after the other would be 1,500 ms. The mocks' timers may be a millisecond early.
    expect(tookMs).toBeGreaterThanOrEqual(498);
    expect(tookMs).toBeLessThan(1_300);
  });

  it('of an order that does not exist is a 404', async () => {
    const gateway = await startShipped();
    const { status, json } = await gateway.get('/orders/ord_0/summary');
    expect({ status, step: json.step }).toEqual({ status: 404, step: 'order' });
  });
});

const faults: readonly (readonly [string, Omit<Fault, 'match'>, string])[] = [
  ['answers 500', { status: 500 }, 'status;status=500'],
  ['drops the connection', { reset: true }, 'reset'],
  ['answers nonsense', { body: '<html>' }, 'invalid-body'],
  ['does not answer', { hang: true }, 'deadline'],
];

describe('when the payment service', () => {
  it.each(faults)('%s, the summary lacks the payment and says so', async (_, fault, reason) => {
    const gateway = await startShipped({ faults: { payments: fault }, deadlineMs: 300 });
    const { status, headers, json } = await gateway.get(path);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      order: { id: 'ord_1001' },
      payment: null,
      shipment: { orderId: 'ord_1001' },
      $problems: [{ pointer: '/payment', step: 'payment' }],
    });
    expect(headers.get('plait-degraded')).toBe(`payment;reason=${reason}`);
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('when the shipping service', () => {
  it.each(faults)('%s, the summary has the stand-in for the shipment', async (_, fault, reason) => {
    const gateway = await startShipped({ faults: { shipping: fault }, deadlineMs: 300 });
    const { status, headers, json } = await gateway.get(path);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      payment: { orderId: 'ord_1001' },
      shipment: { carrier: 'unknown', eta: null },
      late: null,
      $problems: [{ pointer: '/shipment', step: 'shipment' }],
    });
    expect(headers.get('plait-degraded')).toBe(`shipment;reason=${reason}`);
  });
});

describe('when the order service', () => {
  it.each(faults.slice(0, 3))('%s, there is no summary: 502', async (_, fault) => {
    const gateway = await startShipped({ faults: { orders: fault } });
    const { status, headers, json } = await gateway.get(path);
    expect({ status, step: json.step }).toEqual({ status: 502, step: 'order' });
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(json).not.toHaveProperty('payment');
  });

  it('does not answer, there is no summary: 504 at the deadline, and no connection is left open', async () => {
    const gateway = await startShipped({ faults: { orders: { hang: true } }, deadlineMs: 250 });
    const { status, json } = await gateway.get(path);
    expect({ status, type: json.type }).toEqual({
      status: 504,
      type: 'urn:plait:problem:deadline',
    });
    await expect.poll(() => gateway.mocks.orders.openConnections()).toBe(0);
  });

  it('is down, what is asked of the others is given up', async () => {
    const gateway = await startShipped({
      faults: { orders: { status: 500, latencyMs: 50 }, payments: { hang: true } },
    });
    expect((await gateway.get(path)).status).toBe(502);
    expect(gateway.paths('payments')).toHaveLength(1);
    await expect.poll(() => gateway.mocks.payments.openConnections()).toBe(0);
  });
});

describe('when all but the order service are down', () => {
  it('the summary says of both what is missing', async () => {
    const gateway = await startShipped({
      faults: { payments: { status: 500 }, shipping: { reset: true } },
    });
    const { status, json } = await gateway.get(path);
    expect(status).toBe(200);
    const pointers = json.$problems.map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers.toSorted()).toEqual(['/payment', '/shipment']);
  });
});
