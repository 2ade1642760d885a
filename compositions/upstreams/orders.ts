/** The orders service: its address, its schemas and the endpoints that compositions call. */
import { defineService, operation } from 'plait';
import { z } from 'zod';

export const orders = defineService({ name: 'orders', url: { env: 'ORDERS_URL' } });

export const OrderStatus = z.enum(['pending', 'paid', 'shipped', 'delivered', 'cancelled']);

const Order = z.object({
  id: z.string(),
  customerId: z.string(),
  status: OrderStatus,
  total: z.number(),
  currency: z.string(),
  createdAt: z.iso.datetime(),
  items: z.array(
    z.object({ sku: z.string(), name: z.string(), quantity: z.int(), unitPrice: z.number() }),
  ),
});

const Customer = z.object({
  id: z.string(),
  name: z.string(),
  email: z.email(),
  tier: z.enum(['basic', 'gold']),
});

export const getOrder = operation(orders, {
  name: 'getOrder',
  route: 'GET /orders/:orderId',
  response: Order,
});

export const listOrders = operation(orders, {
  name: 'listOrders',
  route: 'GET /orders',
  query: z.object({
    customerId: z.string(),
    status: OrderStatus.optional(),
    limit: z.int().optional(),
  }),
  response: z.object({ items: z.array(Order), total: z.int() }),
});

/** An order together with its version, which a later write may insist on. */
export const getOrderVersion = operation(orders, {
  name: 'getOrderVersion',
  route: 'GET /orders/:orderId',
  response: {
    body: Order.pick({ id: true, status: true }),
    headers: z.object({ etag: z.string() }),
  },
});

/** Accepts the cancellation of an order that is still the version in `if-match`. */
export const cancelOrder = operation(orders, {
  name: 'cancelOrder',
  route: 'POST /orders/:orderId/cancellation',
  headers: z.object({ 'if-match': z.string() }),
  body: z.object({ reason: z.string() }),
  response: { status: z.literal(202) },
  // The texts about fields go to the client, and nothing else of the service's answer does.
  problem: { errors: 'errors', pointer: 'pointer', detail: 'detail' },
});

export const getCustomer = operation(orders, {
  name: 'getCustomer',
  route: 'GET /customers/:customerId',
  response: Customer,
});
