import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Order, Payment, Shipment } from '../../bench/compositions/upstreams/schemas.ts';
import { bodyAt } from '../../bench/upstreams/answer.ts';

function jsonAt(target: string): unknown {
  return JSON.parse(bodyAt(target) ?? 'null');
}

describe('the services of the bench', () => {
  it('answer what the compositions say they answer, with no field besides', () => {
    expect(jsonAt('/orders/ord_1')).toEqual(Order.parse(jsonAt('/orders/ord_1')));
    expect(jsonAt('/payments/ord_1')).toEqual(Payment.parse(jsonAt('/payments/ord_1')));
    expect(jsonAt('/shipments/ord_1')).toEqual(Shipment.parse(jsonAt('/shipments/ord_1')));
  });

  it.each(['/payments?orderIds=a,b', '/payments?orderIds=a%2Cb'])(
    'answer for every key of %s',
    (target) => {
      expect(jsonAt(target)).toMatchObject([{ orderId: 'a' }, { orderId: 'b' }]);
    },
  );

  it('answer for every key of a repeated parameter', () => {
    expect(jsonAt('/shipments/latest?orderId=a&orderId=b')).toMatchObject([
      { orderId: 'a' },
      { orderId: 'b' },
    ]);
  });

  it('give every customer orders of their own, as many as asked for', () => {
    const Page = z.object({ items: z.array(Order), total: z.int() });
    const one = Page.parse(jsonAt('/orders?customerId=cus_1&limit=3'));
    const other = Page.parse(jsonAt('/orders?customerId=cus_2&limit=3'));
    expect(new Set([...one.items, ...other.items].map(({ id }) => id)).size).toBe(6);
  });

  it('have nothing elsewhere', () => {
    expect(bodyAt('/customers/cus_1')).toBeUndefined();
  });
});
