/** The data behind the mock services: the same on every run and every machine. */
import type { Customer, Order, OrderItem, Payment, Shipment, Tracking } from './schemas.ts';
import { stories } from './stories.ts';
import type { ParcelStory, Story } from './stories.ts';

const orderCount = 60;
const firstOrderAt = Date.UTC(2026, 0, 5, 8, 30);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const catalogue = [
  { sku: 'MUG-01', name: 'Stoneware mug', unitPrice: 14.5 },
  { sku: 'TEA-07', name: 'Green tea, 250 g', unitPrice: 9.95 },
  { sku: 'POT-03', name: 'Cast-iron teapot', unitPrice: 59 },
  { sku: 'TIN-02', name: 'Tea tin', unitPrice: 6.4 },
  { sku: 'KET-11', name: 'Gooseneck kettle', unitPrice: 84.99 },
  { sku: 'SPN-05', name: 'Measuring spoon', unitPrice: 3.25 },
  { sku: 'TRY-04', name: 'Bamboo tray', unitPrice: 22.8 },
] as const;

const carriers = ['DHL', 'GLS', 'PostNL', 'UPS'] as const;
const methods = ['card', 'iban', 'wallet'] as const;

export const customers: readonly Customer[] = [
  toCustomer(1, 'Ada Lindgren', 'gold', '2021-03-14'),
  toCustomer(2, 'Bruno Keller', 'basic', '2022-07-01'),
  toCustomer(3, 'Chiara Romano', 'gold', '2020-11-23'),
  toCustomer(4, 'Daan de Vries', 'basic', '2024-02-29'),
  toCustomer(5, 'Elif Yilmaz', 'basic', '2025-09-08'),
];

const indexes = Array.from({ length: orderCount }, (_, index) => index);

/** Oldest first. */
export const orders: readonly Order[] = indexes.map(toOrder);

export const payments: readonly Payment[] = orders.flatMap((order, index) => {
  const status = at(stories, index).payment;
  return status === null ? [] : [toPayment(order, index, status)];
});

/** By shipping time, so that the shipments of one order are not next to each other. */
export const shipments: readonly Shipment[] = orders
  .flatMap((order, index) =>
    at(stories, index).shipments.map((parcel, part) => toShipment(order, parcel, part)),
  )
  .toSorted((a, b) => a.shippedAt.localeCompare(b.shippedAt));

export const trackings: readonly Tracking[] = shipments.map(toTracking);

function toCustomer(number: number, name: string, tier: Customer['tier'], since: string): Customer {
  const mailbox = name.toLowerCase().replaceAll(' ', '.');
  return { id: `cus_${number}`, name, email: `${mailbox}@example.com`, tier, since };
}

function toOrder(index: number): Order {
  const story: Story = at(stories, index);
  const items = toItems(index);
  return {
    id: `ord_${1001 + index}`,
    customerId: ownerOf(index),
    status: story.status,
    total: sumOf(items),
    currency: 'EUR',
    createdAt: toTime(firstOrderAt + index * 7 * hourMs),
    items,
  };
}

/** cus_1 owns the first ten orders and every second one after them; the others share the rest. */
function ownerOf(index: number): string {
  return index < 10 || index % 2 === 0 ? 'cus_1' : `cus_${2 + (((index - 1) / 2) % 4)}`;
}

function toItems(index: number): OrderItem[] {
  return Array.from({ length: 1 + (index % 3) }, (_, line) => ({
    ...at(catalogue, index + 2 * line),
    quantity: 1 + ((index + line) % 4),
  }));
}

/** Summed in cents: adding euros would leave totals such as 48.900000000000006. */
function sumOf(items: readonly OrderItem[]): number {
  const cents = items.map((item) => item.quantity * Math.round(item.unitPrice * 100));
  return cents.reduce((sum, part) => sum + part, 0) / 100;
}

function toPayment(order: Order, index: number, status: Payment['status']): Payment {
  const isPaid = status === 'captured' || status === 'refunded';
  return {
    id: order.id.replace('ord_', 'pay_'),
    orderId: order.id,
    method: at(methods, index),
    status,
    amount: order.total,
    currency: order.currency,
    paidAt: isPaid ? toTime(Date.parse(order.createdAt) + hourMs / 2) : null,
  };
}

function toShipment(order: Order, parcel: ParcelStory, part: number): Shipment {
  const number = Number(order.id.slice('ord_'.length));
  const shippedAt = Date.parse(order.createdAt) + (1 + part) * dayMs;
  return {
    id: `shp_${number}_${part + 1}`,
    orderId: order.id,
    carrier: at(carriers, number + part),
    trackingNumber: `TRK${number}${part + 1}`,
    status: parcel.status,
    eta: parcel.days === null ? null : toDate(shippedAt + parcel.days * dayMs),
    shippedAt: toTime(shippedAt),
  };
}

function toTracking(shipment: Shipment): Tracking {
  const { trackingNumber, carrier, status, shippedAt } = shipment;
  const past = { label_created: 1, in_transit: 3, delivered: 4 }[status];
  return { trackingNumber, carrier, status, events: journeyFrom(shippedAt).slice(0, past) };
}

function journeyFrom(shippedAt: string): Tracking['events'] {
  const start = Date.parse(shippedAt);
  return [
    { at: toTime(start), location: 'Hamburg', description: 'Label created' },
    { at: toTime(start + 5 * hourMs), location: 'Hamburg', description: 'Picked up' },
    { at: toTime(start + 16 * hourMs), location: 'Hannover', description: 'Left the hub' },
    { at: toTime(start + dayMs), location: 'Berlin', description: 'Delivered' },
  ];
}

/** The item at an index that starts again at the end of the list. */
function at<Item>(list: readonly Item[], index: number): Item {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('The list is empty.');
  return item;
}

function toTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function toDate(epochMs: number): string {
  return toTime(epochMs).slice(0, 10);
}
