import { describe, expect, it } from 'vitest';
import { get, json, pluck, startForTest } from './_mocks.ts';

const FAULTS = '/__mock/faults';
const REQUESTS = '/__mock/requests';

describe('the record of requests', () => {
  it('has method, path with query and headers in order of arrival', async () => {
    const { shipping } = await startForTest();
    await get(`${shipping.url}/shipments?orderId=a&orderId=b`, { headers: { 'X-Tenant': 'one' } });
    await get(`${shipping.url}/shipments/search`, json({ orderIds: ['a'] }, 'POST'));
    const { body } = await get(`${shipping.url}${REQUESTS}`);
    expect(body).toEqual(shipping.requests());
    expect(pluck(body, 'path')).toEqual(['/shipments?orderId=a&orderId=b', '/shipments/search']);
    expect(pluck(body, 'method')).toEqual(['GET', 'POST']);
    expect(pluck(body, 'headers')[0]).toMatchObject({ 'x-tenant': 'one' });
  });

  it('has requests that a fault hit, but no control requests', async () => {
    const { orders, payments } = await startForTest();
    orders.fault([{ match: '*', status: 500 }]);
    await get(`${orders.url}/orders`);
    await get(`${orders.url}${FAULTS}`);
    expect(pluck(orders.requests(), 'path')).toEqual(['/orders']);
    expect(payments.requests()).toEqual([]);
  });

  it('can be cleared over HTTP and in code', async () => {
    const { orders } = await startForTest();
    await get(`${orders.url}/orders`);
    expect(await get(`${orders.url}${REQUESTS}`, { method: 'DELETE' })).toMatchObject({
      status: 204,
    });
    expect(orders.requests()).toEqual([]);
    await get(`${orders.url}/orders`);
    orders.fault([{ match: '*', status: 500 }]);
    orders.reset();
    expect(orders.requests()).toEqual([]);
    expect((await get(`${orders.url}/orders`)).status).toBe(200);
  });

  it('given out earlier does not change later', async () => {
    const { orders } = await startForTest();
    const before = orders.requests();
    await get(`${orders.url}/orders`);
    expect(before).toEqual([]);
  });
});

describe('the faults over HTTP', () => {
  it('can be replaced, read and removed', async () => {
    const { payments } = await startForTest();
    const url = `${payments.url}${FAULTS}`;
    const faults = [{ match: 'GET /payments*', status: 429, latencyMs: 5, times: 9 }];
    await get(url, json([{ match: '*', hang: true }]));
    expect(await get(url, json(faults))).toMatchObject({ status: 204 });
    expect(await get(url)).toMatchObject({ status: 200, body: faults });
    expect((await get(`${payments.url}/payments/pay_1001`)).status).toBe(429);
    expect(await get(url, { method: 'DELETE' })).toMatchObject({ status: 204 });
    expect((await get(`${payments.url}/payments/pay_1001`)).status).toBe(200);
  });

  it('never hit control requests', async () => {
    const { payments } = await startForTest();
    payments.fault([{ match: '*', reset: true }]);
    expect((await get(`${payments.url}${FAULTS}`)).status).toBe(200);
  });

  it.each([
    [{ match: '*' }, /expected array/u],
    [[{ match: '*', latency: 5 }], /at 0: .*latency/u],
    [[{ match: '*' }, { status: 500 }], /at 1\.match/u],
    [[{ match: '*', status: 99 }], /at 0\.status/u],
    [[{ match: '*', times: 0 }], /at 0\.times/u],
    [[{ match: '/payments' }], /at 0\.match: Begin with a method/u],
  ])('refuse %j, say why and stay as they were', async (body, reason) => {
    const { payments } = await startForTest();
    const kept = { match: 'GET /kept', status: 500 };
    payments.fault([kept]);
    const url = `${payments.url}${FAULTS}`;
    expect(await get(url, json(body))).toMatchObject({
      status: 400,
      type: 'application/problem+json',
      body: { detail: expect.stringMatching(reason) },
    });
    expect((await get(url)).body).toEqual([kept]);
  });

  it('refuse a body that is not JSON', async () => {
    const { payments } = await startForTest();
    const answer = await get(`${payments.url}${FAULTS}`, { method: 'PUT', body: '[{' });
    expect(answer).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(/not JSON/u) },
    });
  });
});

it('answers 404 for a control request it does not know', async () => {
  const { orders } = await startForTest();
  expect(await get(`${orders.url}/__mock/other`)).toMatchObject({ status: 404 });
  expect(await get(`${orders.url}${REQUESTS}`, { method: 'PUT' })).toMatchObject({ status: 404 });
});
