/** The payments service. Its payments are looked up by order, many in one request. */
import { defineService, lookup } from 'plait';
import { z } from 'zod';

export const payments = defineService({ name: 'payments', url: { env: 'PAYMENTS_URL' } });

const Payment = z.object({
  id: z.string(),
  orderId: z.string(),
  method: z.enum(['card', 'iban', 'wallet']),
  status: z.enum(['authorized', 'captured', 'refunded', 'failed']),
  amount: z.number(),
  currency: z.string(),
  paidAt: z.iso.datetime().nullable(),
});

/** The payment of an order, or `null` while there is none: `GET /payments?orderIds=a,b`. */
export const paymentOf = lookup(payments, {
  name: 'paymentOf',
  route: 'GET /payments',
  keys: { query: 'orderIds' },
  by: 'orderId',
  item: Payment,
  // Not every order has a payment.
  missing: 'null',
});
