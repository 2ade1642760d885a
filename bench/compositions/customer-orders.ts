/** A page of orders, each with its payment and shipment, as in the shipped `customer-orders`. */
import { call, defineComposition, each, operation, optional, pick } from 'plait';
import { z } from 'zod';
import { shared } from './upstreams/operations.ts';
import { OrderPage } from './upstreams/schemas.ts';
import { orders } from './upstreams/services.ts';

const listOrders = operation(orders, {
  name: 'listOrders',
  route: 'GET /orders',
  query: z.object({ customerId: z.string(), limit: z.int() }),
  response: OrderPage,
});

export default defineComposition({
  route: 'GET /customers/:customerId/orders',
  degraded: 'fail',
  query: z.object({ limit: z.coerce.number().int().min(1).max(100) }),
  compose({ params, query }) {
    const page = call(listOrders, { customerId: params.customerId, limit: query.limit });
    return {
      total: page.total,
      orders: each(page.items, (order) => ({
        order: pick(order, 'id', 'status', 'total', 'currency', 'createdAt'),
        payment: optional(call(shared.payment, { orderId: order.id })),
        shipment: optional(call(shared.shipment, { orderId: order.id })),
      })),
    };
  },
});
