/** Figures about a customer, computed from several lists. `map` is the one place for ordinary code. */
import { call, defineComposition, each, fallback, map, pick } from 'plait';
import { getCustomer, listOrders } from './upstreams/orders.ts';
import { paymentOf } from './upstreams/payments.ts';
import { shipmentsOf } from './upstreams/shipping.ts';

export default defineComposition({
  route: 'GET /customers/:customerId/dashboard',
  summary: 'A customer, with what was spent and what is on its way',
  compose({ params }) {
    const customer = call(getCustomer, { customerId: params.customerId });
    const { items: orders } = call(listOrders, { customerId: params.customerId, limit: 50 });

    // Both lists are one request each, and either can fail without taking the page with it.
    const payments = fallback(
      each(orders, (order) => call(paymentOf, { orderId: order.id })),
      [],
    );
    const shipments = fallback(
      each(orders, (order) => call(shipmentsOf, { orderId: order.id })),
      [],
    );

    return {
      customer: pick(customer, 'id', 'name', 'tier'),
      orders: map(orders, (list) => ({
        count: list.length,
        open: list.filter(({ status }) => status === 'pending' || status === 'paid').length,
      })),
      spent: map(payments, (list) => {
        const captured = list.filter((payment) => payment?.status === 'captured');
        const cents = captured.reduce(
          (sum, payment) => sum + Math.round((payment?.amount ?? 0) * 100),
          0,
        );
        return cents / 100;
      }),
      // The inputs are named, so `explain` can show what this depends on.
      nextParcels: map({ orders, shipments }, (given) =>
        given.shipments
          .flat()
          .filter(({ status }) => status === 'in_transit')
          .map(({ orderId, carrier, eta }) => ({
            orderId,
            carrier,
            eta,
            total: given.orders.find(({ id }) => id === orderId)?.total ?? null,
          })),
      ),
    };
  },
});
