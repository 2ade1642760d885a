/** The shipping service. Its lookups show the other two ways to send keys. */
import { defineService, lookup, operation } from 'plait';
import { z } from 'zod';

export const shipping = defineService({ name: 'shipping', url: { env: 'SHIPPING_URL' } });

const Shipment = z.object({
  id: z.string(),
  orderId: z.string(),
  carrier: z.string(),
  trackingNumber: z.string(),
  status: z.enum(['label_created', 'in_transit', 'delivered']),
  eta: z.string().nullable(),
});

const Tracking = z.object({
  trackingNumber: z.string(),
  status: z.string(),
  events: z.array(
    z.object({ at: z.iso.datetime(), location: z.string(), description: z.string() }),
  ),
});

/**
 * The latest shipment of an order, or `null` before there is one. Keys repeat the query parameter:
 * `GET /shipments/latest?orderId=a&orderId=b`.
 */
export const shipmentOf = lookup(shipping, {
  name: 'shipmentOf',
  route: 'GET /shipments/latest',
  keys: { query: 'orderId', repeat: true },
  by: 'orderId',
  item: Shipment,
  // Not every order has been shipped.
  missing: 'null',
});

/** All shipments of an order, as a list. Keys go into the body: `{"orderIds":["a","b"]}`. */
export const shipmentsOf = lookup(shipping, {
  name: 'shipmentsOf',
  route: 'POST /shipments/search',
  keys: { body: 'orderIds' },
  by: 'orderId',
  item: Shipment,
  many: true,
});

export const track = operation(shipping, {
  name: 'track',
  route: 'GET /tracking/:trackingNumber',
  response: Tracking,
});
