/** A customer's orders with payments and shipments: one request to each service, however many. */
import { call, defineComposition, each, optional, pick } from 'plait';
import { z } from 'zod';
import { OrderStatus, listOrders } from './upstreams/orders.ts';
import { paymentOf } from './upstreams/payments.ts';
import { shipmentsOf } from './upstreams/shipping.ts';

export default defineComposition({
  route: 'GET /customers/:customerId/orders',
  summary: 'The orders of a customer, newest first, with payments and shipments',
  query: z.object({
    limit: z.coerce.number().int().min(1).max(100).default(20),
    status: OrderStatus.optional(),
  }),
  compose({ params, query }) {
    const page = call(listOrders, {
      customerId: params.customerId,
      limit: query.limit,
      status: query.status,
    });

    return {
      total: page.total,
      orders: each(page.items, (order) => ({
        order: pick(order, 'id', 'status', 'total', 'currency', 'createdAt'),
        // Written as a call per order, sent as one request for all orders.
        payment: optional(call(paymentOf, { orderId: order.id })),
        shipments: optional(call(shipmentsOf, { orderId: order.id })),
      })),
    };
  },
});
