/** The two views with care: loaders that live for a request, and parts that may be missing. */
import DataLoader from 'dataloader';
import { z } from 'zod';
import { Order, OrderPage, Payment, Shipment } from '../../compositions/upstreams/schemas.ts';
import type { Services } from './services.ts';

type Of<Schema extends z.ZodType> = z.output<Schema>;

const unknownShipment = { carrier: 'unknown', eta: null };

/** Three calls at once; without a payment or a shipment there is a summary, too. */
export async function summaryOf(
  { orders, payments, shipping }: Services,
  orderId: string,
  signal: AbortSignal,
): Promise<object> {
  const id = encodeURIComponent(orderId);
  const [order, payment, shipment] = await Promise.all([
    orders({ path: `/orders/${id}`, schema: Order, signal }),
    payments({ path: `/payments/${id}`, schema: Payment, signal }).catch(() => null),
    shipping({ path: `/shipments/${id}`, schema: Shipment, signal }).catch(() => unknownShipment),
  ]);
  return {
    order: { id: order.id, status: order.status, total: order.total, currency: order.currency },
    payment,
    shipment,
    late: shipment === unknownShipment ? null : shipment.eta === null,
  };
}

/** One request for the list, then each order asks the loaders for its payment and its shipment. */
export async function pageOf(
  services: Services,
  { customerId, limit }: { readonly customerId: string; readonly limit: number },
  signal: AbortSignal,
): Promise<object> {
  const query = new URLSearchParams({ customerId, limit: String(limit) });
  const path = `/orders?${query}`;
  const { items, total } = await services.orders({ path, schema: OrderPage, signal });
  const { payments, shipments } = createLoaders(services, signal);
  const orders = items.map(async ({ id, status, total: price, currency, createdAt }) => {
    const [payment, shipment] = await Promise.all([
      payments.load(id).catch(() => null),
      shipments.load(id).catch(() => null),
    ]);
    return { order: { id, status, total: price, currency, createdAt }, payment, shipment };
  });
  return { total, orders: await Promise.all(orders) };
}

const mostKeys = 100;
const Payments = z.array(Payment);
const Shipments = z.array(Shipment);

function createLoaders({ payments, shipping }: Services, signal: AbortSignal) {
  const options = { maxBatchSize: mostKeys };
  return {
    payments: new DataLoader<string, Of<typeof Payment> | null>(async (ids) => {
      const path = `/payments?orderIds=${ids.map(encodeURIComponent).join(',')}`;
      return inOrder(ids, await payments({ path, schema: Payments, signal }));
    }, options),
    shipments: new DataLoader<string, Of<typeof Shipment> | null>(async (ids) => {
      const path = `/shipments/latest?orderId=${ids.map(encodeURIComponent).join('&orderId=')}`;
      return inOrder(ids, await shipping({ path, schema: Shipments, signal }));
    }, options),
  };
}

/** By key, not by position; `null` where there is none. */
function inOrder<T extends { readonly orderId: string }>(
  ids: readonly string[],
  items: readonly T[],
): (T | null)[] {
  const byOrder = new Map(items.map((item) => [item.orderId, item]));
  return ids.map((id) => byOrder.get(id) ?? null);
}
