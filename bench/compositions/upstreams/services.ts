/** The services of the bench, and what their answers are. One address answers for all three. */
import { defineService } from 'plait';
import { z } from 'zod';

export const orders = defineService({ name: 'orders', url: { env: 'ORDERS_URL' } });
export const payments = defineService({ name: 'payments', url: { env: 'PAYMENTS_URL' } });
export const shipping = defineService({ name: 'shipping', url: { env: 'SHIPPING_URL' } });

export const Order = z.object({
  id: z.string(),
  customerId: z.string(),
  status: z.enum(['pending', 'paid', 'shipped', 'delivered', 'cancelled']),
  total: z.number(),
  currency: z.string(),
  createdAt: z.iso.datetime(),
  items: z.array(
    z.object({ sku: z.string(), name: z.string(), quantity: z.int(), unitPrice: z.number() }),
  ),
});

export const Payment = z.object({
  id: z.string(),
  orderId: z.string(),
  method: z.enum(['card', 'iban', 'wallet']),
  status: z.enum(['authorized', 'captured', 'refunded', 'failed']),
  amount: z.number(),
  currency: z.string(),
  paidAt: z.iso.datetime().nullable(),
});

export const Shipment = z.object({
  id: z.string(),
  orderId: z.string(),
  carrier: z.string(),
  trackingNumber: z.string(),
  status: z.enum(['label_created', 'in_transit', 'delivered']),
  eta: z.string().nullable(),
});
