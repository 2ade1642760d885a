/** The orders service: orders and the customers who placed them. */
import { http, HttpResponse } from 'msw';
import type { HttpHandler } from 'msw';
import { z } from 'zod';
import { customers, orders } from '../data.ts';
import { toDetail, toProblem } from '../problem.ts';
import { orderStatus } from '../schemas.ts';
import type { Order } from '../schemas.ts';
import { findAll, parseKeys, splitList } from './bulk.ts';

const listQuery = z.object({
  customerId: z.string().optional(),
  status: orderStatus.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

const cancellation = z.object({
  reason: z.string().min(3, 'Say why, in three letters or more.'),
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
      return order
        ? HttpResponse.json(order, { headers: { etag: versionOf(order) } })
        : toProblem(404, `No order ${params.orderId}.`);
    }),
    http.post<{ orderId: string }>(
      '*/orders/:orderId/cancellation',
      async ({ params, request }) => {
        const order = orderById.get(params.orderId);
        return order ? cancel(order, request) : toProblem(404, `No order ${params.orderId}.`);
      },
    ),
    http.get<{ customerId: string }>('*/customers/:customerId', ({ params }) => {
      const customer = customerById.get(params.customerId);
      return customer
        ? HttpResponse.json(customer)
        : toProblem(404, `No customer ${params.customerId}.`);
    }),
  ];
}

function versionOf({ id, status }: Order): string {
  return `"${id}-${status}"`;
}

/** Accepts what can be cancelled; the data stays as it is. */
async function cancel(order: Order, request: Request): Promise<Response> {
  const condition = request.headers.get('if-match');
  if (condition === null) return toProblem(428, 'Send If-Match.');
  if (condition !== versionOf(order)) return toProblem(412, 'The order has changed.');
  const body = cancellation.safeParse(await request.json().catch(() => undefined));
  if (!body.success) return toInvalid(body.error);
  if (order.status === 'shipped' || order.status === 'delivered')
    return toProblem(409, `The order is ${order.status}.`);
  const location = `/orders/${order.id}`;
  return new HttpResponse(null, { status: 202, headers: { location } });
}

/** A validation problem with an entry for each field. */
function toInvalid(error: z.ZodError): Response {
  const errors = error.issues.map(({ path, message }) => ({
    pointer: path.map((name) => `/${String(name)}`).join(''),
    detail: message,
  }));
  return HttpResponse.json({ title: 'Invalid', status: 422, errors }, { status: 422 });
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
