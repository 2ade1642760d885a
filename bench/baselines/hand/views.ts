/** The two views by hand: the summary of an order, and a page of a customer's orders. */
import type { Headers, OfOrder, Order, Readers, Shipment } from './services.ts';

/** Three calls at once, merged. */
export async function summaryOf(
  { orders, payments, shipping }: Readers,
  orderId: string,
  headers?: Headers,
): Promise<object> {
  const path = encodeURIComponent(orderId);
  const [{ id, status, total, currency }, payment, shipment] = await Promise.all([
    orders<Order>(`/orders/${path}`, headers),
    payments<OfOrder>(`/payments/${path}`, headers),
    shipping<Shipment>(`/shipments/${path}`, headers),
  ]);
  return { order: { id, status, total, currency }, payment, shipment, late: shipment.eta === null };
}

/** One request for the list, then one each for all payments and all shipments. */
export async function pageOf(
  { orders, payments, shipping }: Readers,
  customerId: string,
  limit: number,
): Promise<object> {
  const query = new URLSearchParams({ customerId, limit: String(limit) });
  const { items, total } = await orders<{ items: Order[]; total: number }>(`/orders?${query}`);
  const ids = items.map(({ id }) => encodeURIComponent(id));
  const [paid, sent] = await Promise.all([
    payments<OfOrder[]>(`/payments?orderIds=${ids.join(',')}`).then(byOrder),
    shipping<Shipment[]>(`/shipments/latest?orderId=${ids.join('&orderId=')}`).then(byOrder),
  ]);
  return {
    total,
    orders: items.map(({ id, status, total: price, currency, createdAt }) => ({
      order: { id, status, total: price, currency, createdAt },
      payment: paid.get(id) ?? null,
      shipment: sent.get(id) ?? null,
    })),
  };
}

function byOrder<T extends OfOrder>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [item.orderId, item]));
}
