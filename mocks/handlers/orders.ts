/** The orders service: orders and the customers who placed them. */
import { http, HttpResponse } from 'msw';
import type { HttpHandler } from 'msw';
import { z } from 'zod';
import { customers, orders } from '../data.ts';
import { toDetail, toProblem } from '../problem.ts';
import { orderStatus } from '../schemas.ts';
import { findAll, parseKeys, splitList } from './bulk.ts';

const listQuery = z.object({
  customerId: z.string().optional(),
  status: orderStatus.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

export function createOrdersHandlers(): HttpHandler[] {
  const orderById = new Map(orders.map((order) => [order.id, order]));
  const customerById = new Map(customers.map((customer) => [customer.id, customer]));
  return [
    http.get('*/orders', ({ request }) => {
      const query = new URL(request.url).searchParams;
      return query.has('ids')
        ? HttpResponse.json(findAll(parseKeys('ids', splitList(query.get('ids'))), orderById))
        : listOrders(query);
    }),
    http.get<{ orderId: string }>('*/orders/:orderId', ({ params }) => {
      const order = orderById.get(params.orderId);
      return order ? HttpResponse.json(order) : toProblem(404, `No order ${params.orderId}.`);
    }),
    http.get<{ customerId: string }>('*/customers/:customerId', ({ params }) => {
      const customer = customerById.get(params.customerId);
      return customer
        ? HttpResponse.json(customer)
        : toProblem(404, `No customer ${params.customerId}.`);
    }),
  ];
}

function listOrders(search: URLSearchParams): Response {
  const query = listQuery.safeParse(Object.fromEntries(search));
  if (!query.success) return toProblem(400, toDetail('The query', query.error));
  const { customerId, status, limit } = query.data;
  const found = orders.filter(
    (order) =>
      (customerId === undefined || order.customerId === customerId) &&
      (status === undefined || order.status === status),
  );
  return HttpResponse.json({ items: found.toReversed().slice(0, limit), total: found.length });
}
