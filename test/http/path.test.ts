import { describe, expect, it } from 'vitest';
import { startShipped } from '../support/shipped.ts';
import { rawGet } from '../support/raw-http.ts';

const long = 'x'.repeat(10 * 1024);

/**
 * Segments in place of the order in `/orders/:orderId/tracking`, and the order that may be asked
 * for, if any.
 */
const segments: readonly (readonly [segment: string, status: number, asked: string | undefined])[] =
  [
    ['ord_1001', 200, 'ord_1001'],
    ['..', 404, undefined],
    ['.', 404, undefined],
    ['%2e%2e', 404, undefined],
    ['%2E.', 404, undefined],
    ['', 400, undefined],
    ['a/b', 404, undefined],
    ['a%2Fb', 400, undefined],
    ['a%2f..%2f..%2fcustomers%2fcus_1', 400, undefined],
    ['..%2Fcustomers%2Fcus_1', 400, undefined],
    ['%2e%2e%2fcustomers%2fcus_1', 400, undefined],
    ['a%5C..%5Cb', 400, undefined],
    ['%252e%252e', 400, undefined],
    ['ord_1%3Fx=1', 404, 'ord_1%3Fx%3D1'],
    ['ord_1%23x', 404, 'ord_1%23x'],
    ['ord_1;x', 404, 'ord_1%3Bx'],
    ['%00', 400, undefined],
    ['a%0ab', 400, undefined],
    ['a%0d%0aHost:%20evil', 400, undefined],
    ['%7f', 400, undefined],
    [long, 400, undefined],
    ['%zz', 400, undefined],
    ['%', 400, undefined],
    ['%e0%a4', 400, undefined],
  ];

describe('a path segment of the client', () => {
  it.each(
    segments.map(([segment, status, asked]) => ({
      segment,
      status,
      asked,
      shown: segment.slice(0, 40),
    })),
  )(
    '$shown is a $status and never another path of a service',
    async ({ segment, status, asked }) => {
      const { url, paths } = await startShipped();
      expect((await rawGet(url, `/orders/${segment}/tracking`)).status).toBe(status);
      expect(paths('orders')).toEqual(asked === undefined ? [] : [`/orders/${asked}`]);
      const shipping = paths('shipping').filter((path) => !path.startsWith('/tracking/'));
      expect(shipping).toEqual(asked === undefined ? [] : [`/shipments/latest?orderId=${asked}`]);
    },
  );

  it.each([
    ['//evil/orders/ord_1001/tracking', 400],
    ['/orders//tracking', 400],
    ['/orders/ord_1001/tracking/', 404],
  ])('is not guessed from %s', async (target, status) => {
    const { url, paths } = await startShipped();
    expect((await rawGet(url, target)).status).toBe(status);
    expect(paths('orders')).toEqual([]);
  });

  it.each(['*', 'orders/ord_1001/tracking', '/orders/a\\..\\b/tracking', 'http://'])(
    'is not looked for in %s, which is no path',
    async (target) => {
      const { url, paths } = await startShipped();
      expect((await rawGet(url, target)).status).toBe(400);
      expect(paths('orders')).toEqual([]);
    },
  );

  it('is shown in problems as it was sent', async () => {
    const { url } = await startShipped();
    const { body } = await rawGet(url, '/orders/%00%5c%20/tracking?x=1');
    expect(JSON.parse(body).instance).toBe('/orders/%00%5c%20/tracking');
  });
});

describe('a query of the client', () => {
  it('cannot add to the query of a service', async () => {
    const { url, paths } = await startShipped();
    const { status } = await rawGet(url, '/customers/cus_1%26limit=100/orders?limit=1');
    expect(status).toBe(200);
    expect(paths('orders')).toEqual(['/orders?customerId=cus_1%26limit%3D100&limit=1']);
  });
});
