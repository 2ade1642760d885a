import { describe, expect, it } from 'vitest';
import { get, json, pluck, startForTest } from './_mocks.ts';

const problem = (status: number) => ({
  status,
  type: 'application/problem+json',
  body: expect.objectContaining({ status, title: expect.any(String), detail: expect.any(String) }),
});

const manyIds = (count: number) => Array.from({ length: count }, (_, index) => `ord_${index}`);

describe('orders service', () => {
  it('answers one order, and 404 for an unknown one', async () => {
    const { orders } = await startForTest();
    const { body } = await get(`${orders.url}/orders/ord_1001`);
    expect(body).toMatchObject({ id: 'ord_1001', customerId: 'cus_1' });
    expect(await get(`${orders.url}/orders/ord_1`)).toEqual(problem(404));
  });

  it('accepts the cancellation of the version it is told, of an order that has not been shipped', async () => {
    const { orders } = await startForTest();
    const cancel = async (id: string, version: string | undefined, body: unknown) => {
      const headers = {
        'content-type': 'application/json',
        ...(version && { 'if-match': version }),
      };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      const response = await fetch(`${orders.url}/orders/${id}/cancellation`, init);
      return [response.status, response.headers.get('location')];
    };
    const read = await fetch(`${orders.url}/orders/ord_1002`);
    const version = read.headers.get('etag') ?? '';
    const reason = 'too late';
    expect(await cancel('ord_1002', version, { reason })).toEqual([202, '/orders/ord_1002']);
    expect(await cancel('ord_1002', undefined, { reason })).toEqual([428, null]);
    expect(await cancel('ord_1002', '"other"', { reason })).toEqual([412, null]);
    expect(await cancel('ord_1002', version, { reason: 'no' })).toEqual([422, null]);
    expect(await cancel('ord_1001', '"ord_1001-shipped"', { reason })).toEqual([409, null]);
    expect(await cancel('ord_1', version, { reason })).toEqual([404, null]);
  });

  it('answers one customer, and 404 for an unknown one', async () => {
    const { orders } = await startForTest();
    expect((await get(`${orders.url}/customers/cus_3`)).body).toMatchObject({ id: 'cus_3' });
    expect(await get(`${orders.url}/customers/cus_9`)).toEqual(problem(404));
  });

  it('lists the newest orders first, 20 unless asked otherwise, with the total before the limit', async () => {
    const { orders } = await startForTest();
    const { body } = await get(`${orders.url}/orders?customerId=cus_1`);
    const { items, total } = body as { items: { createdAt: string }[]; total: number };
    const times = pluck(items, 'createdAt');
    expect(items).toHaveLength(20);
    expect(total).toBeGreaterThanOrEqual(30);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  it('filters by customer and status and honours the limit', async () => {
    const { orders } = await startForTest();
    const { body } = await get(`${orders.url}/orders?customerId=cus_1&status=pending&limit=2`);
    const { items, total } = body as { items: unknown[]; total: number };
    expect(pluck(items, 'status')).toEqual(['pending', 'pending']);
    expect(pluck(items, 'customerId')).toEqual(['cus_1', 'cus_1']);
    expect(total).toBeGreaterThan(2);
  });

  it.each(['limit=0', 'limit=101', 'limit=x', 'limit=', 'status=lost'])(
    'refuses the list query %s',
    async (query) => {
      const { orders } = await startForTest();
      expect(await get(`${orders.url}/orders?${query}`)).toEqual(problem(400));
    },
  );

  it('answers many orders at once, leaves out unknown ones and keeps its own order', async () => {
    const { orders } = await startForTest();
    const { body } = await get(`${orders.url}/orders?ids=ord_1003,nope,ord_1001,ord_1002,ord_1001`);
    expect(pluck(body, 'id')).toEqual(['ord_1002', 'ord_1001', 'ord_1003']);
  });
});

describe('payments service', () => {
  it('answers many payments at once and leaves out orders without one', async () => {
    const { payments } = await startForTest();
    const { body } = await get(`${payments.url}/payments?orderIds=ord_1001,ord_1002,ord_1003`);
    expect(pluck(body, 'orderId')).toEqual(['ord_1003', 'ord_1001']);
  });

  it('answers one payment, and 404 for an unknown one', async () => {
    const { payments } = await startForTest();
    const { body } = await get(`${payments.url}/payments/pay_1001`);
    expect(body).toMatchObject({ orderId: 'ord_1001' });
    expect(await get(`${payments.url}/payments/pay_1`)).toEqual(problem(404));
  });

  it('refuses a request without keys', async () => {
    const { payments } = await startForTest();
    expect(await get(`${payments.url}/payments`)).toEqual(problem(400));
    expect(await get(`${payments.url}/payments?orderIds=`)).toEqual(problem(400));
    expect(await get(`${payments.url}/payments?orderIds=ord_1001,`)).toEqual(problem(400));
  });
});

describe('shipping service', () => {
  it('answers all shipments of the orders', async () => {
    const { shipping } = await startForTest();
    const { body } = await get(`${shipping.url}/shipments?orderId=ord_1006&orderId=ord_1001`);
    expect(pluck(body, 'id').toSorted()).toEqual([
      'shp_1001_1',
      'shp_1006_1',
      'shp_1006_2',
      'shp_1006_3',
    ]);
  });

  it('answers the latest shipment of each order', async () => {
    const { shipping } = await startForTest();
    const query = 'orderId=ord_1001&orderId=ord_1002&orderId=ord_1006';
    const { body } = await get(`${shipping.url}/shipments/latest?${query}`);
    expect(pluck(body, 'id')).toEqual(['shp_1006_3', 'shp_1001_1']);
  });

  it('searches by a JSON body', async () => {
    const { shipping } = await startForTest();
    const search = json({ orderIds: ['ord_1001', 'ord_1002'] }, 'POST');
    const { body } = await get(`${shipping.url}/shipments/search`, search);
    expect(pluck(body, 'orderId')).toEqual(['ord_1001']);
  });

  it.each([{}, { orderIds: 'ord_1001' }, { orderIds: [] }, null])(
    'refuses to search for %j',
    async (body) => {
      const { shipping } = await startForTest();
      const url = `${shipping.url}/shipments/search`;
      expect(await get(url, json(body, 'POST'))).toEqual(problem(400));
    },
  );

  it('answers where a parcel is, and 404 for an unknown number', async () => {
    const { shipping } = await startForTest();
    const { body } = await get(`${shipping.url}/tracking/TRK10011`);
    expect(body).toMatchObject({ status: 'in_transit', events: { length: 3 } });
    expect(await get(`${shipping.url}/tracking/TRK1`)).toEqual(problem(404));
  });
});

describe('every service', () => {
  it('takes 100 keys and refuses 101', async () => {
    const { orders, payments, shipping } = await startForTest();
    const askAll = (count: number) => {
      const ids = manyIds(count);
      const repeated = ids.map((id) => `orderId=${id}`).join('&');
      return Promise.all([
        get(`${orders.url}/orders?ids=${ids}`),
        get(`${payments.url}/payments?orderIds=${ids}`),
        get(`${shipping.url}/shipments?${repeated}`),
        get(`${shipping.url}/shipments/latest?${repeated}`),
        get(`${shipping.url}/shipments/search`, json({ orderIds: ids }, 'POST')),
      ]);
    };
    expect(pluck(await askAll(100), 'status')).toEqual([200, 200, 200, 200, 200]);
    for (const answer of await askAll(101)) expect(answer).toEqual(problem(400));
  });

  it('answers 404 for a path or method it does not know', async () => {
    const { orders, payments, shipping } = await startForTest();
    expect(await get(`${orders.url}/payments`)).toEqual(problem(404));
    expect(await get(`${payments.url}/payments`, { method: 'DELETE' })).toEqual(problem(404));
    expect(await get(`${shipping.url}/`)).toEqual(problem(404));
  });
});
