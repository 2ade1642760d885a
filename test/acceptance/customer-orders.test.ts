import { describe, expect, it } from 'vitest';
import { orders, payments, shipments } from '../../mocks/data.ts';
import { startShipped } from '../support/shipped.ts';

const path = '/customers/cus_1/orders?limit=25';
const newest = orders.filter(({ customerId }) => customerId === 'cus_1').toReversed();
const page = newest.slice(0, 25);

describe("a customer's orders", () => {
  it('are 25 orders, each with its own payment and shipments', async () => {
    const gateway = await startShipped();
    const { status, json } = await gateway.get(path);
    expect(status).toBe(200);
    expect(json.total).toBe(newest.length);
    expect(json.orders).toHaveLength(25);
    for (const [index, { id, total, createdAt, status: state }] of page.entries()) {
      expect(json.orders[index]).toEqual({
        order: { id, status: state, total, currency: 'EUR', createdAt },
        payment: payments.find(({ orderId }) => orderId === id) ?? null,
        shipments: shipments
          .filter(({ orderId }) => orderId === id)
          .map((shipment) => ({ ...shipment, shippedAt: undefined })),
      });
    }
  });

  it('show orders without and with one and with several parcels, and unpaid ones', () => {
    const parcels = new Set(
      page.map(({ id }) => shipments.filter(({ orderId }) => orderId === id).length),
    );
    expect([...parcels].toSorted()).toEqual([0, 1, 2, 3]);
    expect(page.some(({ id }) => payments.every(({ orderId }) => orderId !== id))).toBe(true);
  });

  it('are one request to each service', async () => {
    const gateway = await startShipped();
    await gateway.get(path);
    expect(gateway.paths('orders')).toEqual(['/orders?customerId=cus_1&limit=25']);
    const ids = page.map(({ id }) => id).join(',');
    expect(gateway.paths('payments')).toEqual([`/payments?orderIds=${ids}`]);
    expect(gateway.paths('shipping')).toEqual(['/shipments/search']);
  });

  it('do not wait for the payments to ask for the shipments', async () => {
    const gateway = await startShipped({
      faults: { payments: { hang: true }, shipping: { hang: true } },
    });
    const client = new AbortController();
    const gone = gateway.get(path, { signal: client.signal }).catch(() => 'gone');
    await expect
      .poll(() => [gateway.paths('payments').length, gateway.paths('shipping').length])
      .toEqual([1, 1]);
    client.abort();
    expect(await gone).toBe('gone');
  });

  it('may be of one status only', async () => {
    const gateway = await startShipped();
    const { json } = await gateway.get('/customers/cus_1/orders?status=pending');
    expect(json.orders.length).toBeGreaterThan(1);
    for (const { order } of json.orders) expect(order.status).toBe('pending');
  });

  it('are 20 unless the client says otherwise', async () => {
    const gateway = await startShipped();
    expect((await gateway.get('/customers/cus_1/orders')).json.orders).toHaveLength(20);
  });

  it('of a customer without any are none, and nothing else is asked for', async () => {
    const gateway = await startShipped();
    const { json } = await gateway.get('/customers/cus_9/orders');
    expect(json).toEqual({ total: 0, orders: [] });
    expect([...gateway.paths('payments'), ...gateway.paths('shipping')]).toEqual([]);
  });

  it.each(['limit=0', 'limit=101', 'limit=x', 'status=lost', 'page=2'])(
    'are refused for ?%s',
    async (query) => {
      const gateway = await startShipped();
      expect((await gateway.get(`/customers/cus_1/orders?${query}`)).status).toBe(400);
      expect(gateway.paths('orders')).toEqual([]);
    },
  );
});

describe('when the payment service is down', () => {
  it('every order lacks its payment, and the response says at which places', async () => {
    const gateway = await startShipped({ faults: { payments: { status: 500 } } });
    const { status, headers, json } = await gateway.get(path);
    expect(status).toBe(200);
    expect(json.orders.map(({ payment }: { payment: unknown }) => payment)).toEqual(
      page.map(() => null),
    );
    expect(json.orders[0].shipments).toBeInstanceOf(Array);
    expect(json.$problems.map(({ pointer }: { pointer: string }) => pointer)).toEqual(
      page.map((_, index) => `/orders/${index}/payment`),
    );
    expect(headers.get('plait-degraded')).toMatch(
      /^[\w.]*payment;reason=status;status=500;count=25$/,
    );
  });
});

describe('when the order service is down', () => {
  it('there is no list, and no other service is asked', async () => {
    const gateway = await startShipped({ faults: { orders: { reset: true } } });
    expect((await gateway.get(path)).status).toBe(502);
    expect([...gateway.paths('payments'), ...gateway.paths('shipping')]).toEqual([]);
  });
});
