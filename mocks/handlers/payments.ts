/** The payments service: at most one payment per order. */
import { http, HttpResponse } from 'msw';
import type { HttpHandler } from 'msw';
import { payments } from '../data.ts';
import { toProblem } from '../problem.ts';
import { findAll, parseKeys, splitList } from './bulk.ts';

export function createPaymentsHandlers(): HttpHandler[] {
  const paymentById = new Map(payments.map((payment) => [payment.id, payment]));
  const paymentByOrder = new Map(payments.map((payment) => [payment.orderId, payment]));
  return [
    http.get('*/payments', ({ request }) => {
      const orderIds = splitList(new URL(request.url).searchParams.get('orderIds'));
      return HttpResponse.json(findAll(parseKeys('orderIds', orderIds), paymentByOrder));
    }),
    http.get<{ paymentId: string }>('*/payments/:paymentId', ({ params }) => {
      const payment = paymentById.get(params.paymentId);
      return payment
        ? HttpResponse.json(payment)
        : toProblem(404, `No payment ${params.paymentId}.`);
    }),
  ];
}
