/** The summary by hand: three calls at once, merged. */
import type { Headers, OfOrder, Order, Read, Shipment } from './services.ts';

export interface Readers {
  readonly orders: Read;
  readonly payments: Read;
  readonly shipping: Read;
}

export async function summaryOf(
  { orders, payments, shipping }: Readers,
  orderId: string,
  headers?: Headers,
): Promise<object> {
  const id = encodeURIComponent(orderId);
  const [{ id: known, status, total, currency }, payment, shipment] = await Promise.all([
    orders<Order>(`/orders/${id}`, headers),
    payments<OfOrder>(`/payments/${id}`, headers),
    shipping<Shipment>(`/shipments/${id}`, headers),
  ]);
  return {
    order: { id: known, status, total, currency },
    payment,
    shipment,
    late: shipment.eta === null,
  };
}
