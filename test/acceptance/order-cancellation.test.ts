import { expect, it } from 'vitest';
import { startShipped } from '../support/shipped.ts';
import type { Shipped } from '../support/shipped.ts';

function cancel(gateway: Shipped, orderId: string, body: unknown) {
  return gateway.get(`/orders/${orderId}/cancellation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const cancellations = ({ mocks }: Shipped) =>
  mocks.orders.requests().filter(({ method }) => method === 'POST');

it('a cancellation insists on the version that was read, and is accepted with a Location', async () => {
  const gateway = await startShipped();
  const { status, headers, json } = await cancel(gateway, 'ord_1002', { reason: 'too late' });
  expect(status).toBe(202);
  const asked = 'http://shop/api/orders/ord_1002/cancellation';
  const location = headers.get('location') ?? '';
  expect(new URL(location, asked).pathname).toBe('/api/orders/ord_1002/summary');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(json).toEqual({ orderId: 'ord_1002', statusBefore: 'pending', carrier: null });
  expect(cancellations(gateway)).toHaveLength(1);
});

it('a cancellation of what has been shipped is a conflict', async () => {
  const gateway = await startShipped();
  const { status, json } = await cancel(gateway, 'ord_1001', { reason: 'too late' });
  expect([status, json.step]).toEqual([409, 'cancelOrder']);
});

it('a cancellation of an order that has changed meanwhile is not made', async () => {
  const gateway = await startShipped();
  gateway.mocks.orders.fault([{ match: 'POST /orders/*', status: 412, times: 1 }]);
  expect((await cancel(gateway, 'ord_1002', { reason: 'too late' })).status).toBe(412);
  expect(cancellations(gateway)).toHaveLength(1);
});

it('a cancellation whose reason the service refuses tells the client which field, and why', async () => {
  const gateway = await startShipped();
  const { status, json } = await cancel(gateway, 'ord_1002', { reason: 'no' });
  expect(status).toBe(422);
  expect(json.errors).toEqual([
    { in: 'body', pointer: '/reason', detail: 'Say why, in three letters or more.' },
  ]);
});

it('a cancellation of an unknown order is a 404, and nothing is written', async () => {
  const gateway = await startShipped();
  expect((await cancel(gateway, 'ord_1', { reason: 'too late' })).status).toBe(404);
  expect(cancellations(gateway)).toEqual([]);
});

it('a cancellation does not wait for shipping', async () => {
  const gateway = await startShipped({ faults: { shipping: { latencyMs: 5_000 } } });
  const { status, headers, json } = await cancel(gateway, 'ord_1002', { reason: 'too late' });
  expect([status, json.carrier]).toEqual([202, null]);
  expect(headers.get('plait-degraded')).toContain('reason=late');
});
