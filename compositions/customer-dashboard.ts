/** Figures about a customer, computed from several lists. Ordinary code goes into `map`. */
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

    // A lookup per order, sent as one request per list. If one fails, its list is empty and the
    // response is marked as degraded.
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
      // Inputs are passed in by name, so `explain` can show what this needs.
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
