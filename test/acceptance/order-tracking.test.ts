import { describe, expect, it } from 'vitest';
import { trackings } from '../../mocks/data.ts';
import { startShipped } from '../support/shipped.ts';

function eventsOf(number: string) {
  return trackings.find(({ trackingNumber }) => trackingNumber === number)?.events;
}

describe('the tracking of an order', () => {
  it('follows its parcel', async () => {
    const gateway = await startShipped();
    const { status, json } = await gateway.get('/orders/ord_1001/tracking');
    expect(status).toBe(200);
    expect(json).toEqual({
      order: { id: 'ord_1001', status: 'shipped' },
      carrier: expect.stringMatching(/./),
      eta: '2026-01-09',
      tracking: { trackingNumber: 'TRK10011', status: 'in_transit', events: eventsOf('TRK10011') },
    });
    expect(gateway.paths('shipping')).toEqual([
      '/shipments/latest?orderId=ord_1001',
      '/tracking/TRK10011',
    ]);
  });

  it('follows the latest of several parcels', async () => {
    const gateway = await startShipped();
    const { json } = await gateway.get('/orders/ord_1006/tracking');
    expect(json.tracking).toEqual({
      trackingNumber: 'TRK10063',
      status: 'label_created',
      events: eventsOf('TRK10063'),
    });
    expect(json.eta).toBeNull();
  });

  it('is null while there is no parcel: nothing is asked, nothing has failed', async () => {
    const gateway = await startShipped();
    const { status, headers, json } = await gateway.get('/orders/ord_1002/tracking');
    expect({ status, json }).toEqual({
      status: 200,
      json: {
        order: { id: 'ord_1002', status: 'pending' },
        carrier: null,
        eta: null,
        tracking: null,
      },
    });
    expect(headers.has('plait-degraded')).toBe(false);
    expect(gateway.paths('shipping')).toEqual(['/shipments/latest?orderId=ord_1002']);
  });

  it('does not wait for the order', async () => {
    const gateway = await startShipped({ faults: { orders: { hang: true } } });
    const client = new AbortController();
    const gone = gateway
      .get('/orders/ord_1001/tracking', { signal: client.signal })
      .catch(() => 'gone');
    await expect.poll(() => gateway.paths('shipping')).toContain('/tracking/TRK10011');
    client.abort();
    expect(await gone).toBe('gone');
  });

  it('fails with the shipping service, which it is about', async () => {
    const gateway = await startShipped({ faults: { shipping: { status: 500 } } });
    const { status, json } = await gateway.get('/orders/ord_1001/tracking');
    expect({ status, type: json.type }).toEqual({
      status: 502,
      type: 'urn:plait:problem:upstream-status',
    });
  });

  it('of an order that does not exist is a 404', async () => {
    const gateway = await startShipped();
    expect((await gateway.get('/orders/ord_0/tracking')).status).toBe(404);
  });
});
