/** The answers of the services; Plait and the careful baseline check them by the same schemas. */
import { z } from 'zod';

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

export const OrderPage = z.object({ items: z.array(Order), total: z.int() });

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
