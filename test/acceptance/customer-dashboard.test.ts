import { describe, expect, it } from 'vitest';
import { orders, payments, shipments } from '../../mocks/data.ts';
import { startShipped } from '../support/shipped.ts';

const path = '/customers/cus_1/dashboard';
const own = orders.filter(({ customerId }) => customerId === 'cus_1').toReversed();
const ids = new Set(own.map(({ id }) => id));

const spent = payments
  .filter(({ orderId, status }) => ids.has(orderId) && status === 'captured')
  .reduce((sum, { amount }) => sum + amount, 0);

const nextParcels = own.flatMap(({ id, total }) =>
  shipments
    .filter(({ orderId, status }) => orderId === id && status === 'in_transit')
    .map(({ orderId, carrier, eta }) => ({ orderId, carrier, eta, total })),
);

describe("a customer's dashboard", () => {
  it('computes its figures from several lists', async () => {
    const gateway = await startShipped();
    const { status, json } = await gateway.get(path);
    expect(status).toBe(200);
    expect(json).toEqual({
      customer: { id: 'cus_1', name: 'Ada Lindgren', tier: 'gold' },
      orders: {
        count: own.length,
        open: own.filter(({ status: state }) => state === 'pending' || state === 'paid').length,
      },
      spent: expect.closeTo(spent, 6),
      nextParcels,
    });
    expect(nextParcels.map(({ orderId }) => orderId)).toContain('ord_1006');
  });

  it('is two requests to orders and one to each other service', async () => {
    const gateway = await startShipped();
    await gateway.get(path);
    expect(gateway.paths('orders').toSorted()).toEqual([
      '/customers/cus_1',
      '/orders?customerId=cus_1&limit=50',
    ]);
    expect(gateway.paths('payments')).toHaveLength(1);
    expect(gateway.paths('shipping')).toEqual(['/shipments/search']);
  });

  it('without payments shows nothing spent, and says that this is not the truth', async () => {
    const gateway = await startShipped({ faults: { payments: { status: 500 } } });
    const { status, headers, json } = await gateway.get(path);
    expect(status).toBe(200);
    expect(json).toMatchObject({ spent: 0, nextParcels, $problems: [{ pointer: '/spent' }] });
    expect(json.$problems).toHaveLength(1);
    expect(headers.get('plait-degraded')).toContain('reason=status;status=500');
  });

  it('without shipments shows no parcels, and says that this is not the truth', async () => {
    const gateway = await startShipped({ faults: { shipping: { reset: true } } });
    const { json } = await gateway.get(path);
    expect(json).toMatchObject({
      spent: expect.closeTo(spent, 6),
      nextParcels: [],
      $problems: [{ pointer: '/nextParcels' }],
    });
  });

  it('of a customer who does not exist is a 404', async () => {
    const gateway = await startShipped();
    expect((await gateway.get('/customers/cus_9/dashboard')).status).toBe(404);
  });
});
