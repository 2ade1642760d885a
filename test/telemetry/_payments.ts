/** A lookup of the mock of payments, for tests of metrics. */
import { defineService, lookup } from 'plait';
import { z } from 'zod';

export const payments = defineService({ name: 'payments', url: { env: 'PAYMENTS_URL' } });

export const paymentOf = lookup(payments, {
  name: 'paymentOf',
  route: 'GET /payments',
  keys: { query: 'orderIds' },
  by: 'orderId',
  item: z.object({ orderId: z.string() }),
});
