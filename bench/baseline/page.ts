/** The page of orders by hand: one request for the list, then one each for all payments and all shipments. */
import type { OfOrder, Order, Shipment } from './services.ts';
import type { Readers } from './summary.ts';

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
