import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { customers, orders, payments, shipments, trackings } from '../../mocks/data.ts';
import * as schemas from '../../mocks/schemas.ts';

const shipmentsOf = (orderId: string) => shipments.filter((item) => item.orderId === orderId);
const paymentOf = (orderId: string) => payments.find((item) => item.orderId === orderId);
const orderOf = (id: string) => orders.find((order) => order.id === id);

describe('mock data', () => {
  it('is valid against its schemas', () => {
    expect(() => {
      z.array(schemas.customer).parse(customers);
      z.array(schemas.order).parse(orders);
      z.array(schemas.payment).parse(payments);
      z.array(schemas.shipment).parse(shipments);
      z.array(schemas.tracking).parse(trackings);
    }).not.toThrow();
  });

  it('never uses an id twice', () => {
    const ids = [...customers, ...orders, ...payments, ...shipments].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(trackings.map((item) => item.trackingNumber)).size).toBe(trackings.length);
  });

  it('has ord_1001 paid and on its way', () => {
    expect(orderOf('ord_1001')).toMatchObject({ customerId: 'cus_1', status: 'shipped' });
    expect(paymentOf('ord_1001')).toMatchObject({ status: 'captured' });
    expect(shipmentsOf('ord_1001')).toEqual([
      expect.objectContaining({ status: 'in_transit', eta: expect.any(String) }),
    ]);
  });

  it('has ord_1002 without payment and shipment', () => {
    expect(orderOf('ord_1002')).toMatchObject({ customerId: 'cus_1', status: 'pending' });
    expect(paymentOf('ord_1002')).toBeUndefined();
    expect(shipmentsOf('ord_1002')).toEqual([]);
  });

  it('gives cus_1 at least 30 orders and every customer some', () => {
    const counts = Map.groupBy(orders, (order) => order.customerId);
    expect(counts.get('cus_1')?.length).toBeGreaterThanOrEqual(30);
    expect([...counts.keys()].toSorted()).toEqual(customers.map(({ id }) => id));
  });

  it('has totals that are the sum of the items, and payments of that amount', () => {
    for (const order of orders) {
      const sum = order.items.reduce((all, item) => all + item.quantity * item.unitPrice, 0);
      expect(order.total).toBeCloseTo(sum, 6);
      expect(Number(order.total.toFixed(2))).toBe(order.total);
      expect(paymentOf(order.id)?.amount ?? order.total).toBe(order.total);
    }
  });

  it('has every order status, several unpaid orders and several with two or three shipments', () => {
    const unpaid = orders.filter((order) => paymentOf(order.id) === undefined);
    const split = orders.filter((order) => shipmentsOf(order.id).length >= 2);
    expect(new Set(orders.map((order) => order.status)).size).toBe(5);
    expect(unpaid.length).toBeGreaterThan(3);
    expect(split.length).toBeGreaterThan(3);
    expect(Math.max(...split.map((order) => shipmentsOf(order.id).length))).toBe(3);
  });

  it('tells where each parcel is', () => {
    expect(trackings.map((item) => item.trackingNumber).toSorted()).toEqual(
      shipments.map((item) => item.trackingNumber).toSorted(),
    );
  });
});
