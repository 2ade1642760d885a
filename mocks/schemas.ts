/** The schemas of the data that the mock services return. */
import { z } from 'zod';

export const orderStatus = z.enum(['pending', 'paid', 'shipped', 'delivered', 'cancelled']);
export type OrderStatus = z.output<typeof orderStatus>;

export const orderItem = z.strictObject({
  sku: z.string().min(1),
  name: z.string().min(1),
  quantity: z.int().positive(),
  unitPrice: z.number().positive(),
});
export type OrderItem = z.output<typeof orderItem>;

export const order = z.strictObject({
  id: z.string().startsWith('ord_'),
  customerId: z.string().startsWith('cus_'),
  status: orderStatus,
  total: z.number().positive(),
  currency: z.literal('EUR'),
  createdAt: z.iso.datetime(),
  items: z.array(orderItem).min(1),
});
export type Order = z.output<typeof order>;

export const customer = z.strictObject({
  id: z.string().startsWith('cus_'),
  name: z.string().min(1),
  email: z.email(),
  tier: z.enum(['basic', 'gold']),
  since: z.iso.date(),
});
export type Customer = z.output<typeof customer>;

export const payment = z.strictObject({
  id: z.string().startsWith('pay_'),
  orderId: z.string().startsWith('ord_'),
  method: z.enum(['card', 'iban', 'wallet']),
  status: z.enum(['authorized', 'captured', 'refunded', 'failed']),
  amount: z.number().positive(),
  currency: z.literal('EUR'),
  paidAt: z.iso.datetime().nullable(),
});
export type Payment = z.output<typeof payment>;

export const shipmentStatus = z.enum(['label_created', 'in_transit', 'delivered']);
export type ShipmentStatus = z.output<typeof shipmentStatus>;

export const shipment = z.strictObject({
  id: z.string().startsWith('shp_'),
  orderId: z.string().startsWith('ord_'),
  carrier: z.string().min(1),
  trackingNumber: z.string().min(1),
  status: shipmentStatus,
  eta: z.iso.date().nullable(),
  shippedAt: z.iso.datetime(),
});
export type Shipment = z.output<typeof shipment>;

export const tracking = z.strictObject({
  trackingNumber: z.string().min(1),
  carrier: z.string().min(1),
  status: shipmentStatus,
  events: z.array(
    z.strictObject({
      at: z.iso.datetime(),
      location: z.string().min(1),
      description: z.string().min(1),
    }),
  ),
});
export type Tracking = z.output<typeof tracking>;
