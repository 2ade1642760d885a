/** The `compose` of every summary, as in the shipped `order-summary`; their operations differ. */
import { call, fallback, map, optional, pick } from 'plait';
import type { Operation, Ref } from 'plait';
import type { z } from 'zod';
import type { Order, Payment, Shipment } from './schemas.ts';

type Args = { readonly orderId: string };

export interface SummaryOperations {
  readonly order: Operation<Args, z.output<typeof Order>>;
  readonly payment: Operation<Args, z.output<typeof Payment> | null>;
  readonly shipment: Operation<Args, z.output<typeof Shipment> | null>;
}

/** A `compose` for routes with `:orderId`. */
export function summaryBy(operations: SummaryOperations) {
  return ({ params }: { params: Ref<{ orderId: string }> }) => {
    const { orderId } = params;
    const order = call(operations.order, { orderId });
    const payment = optional(call(operations.payment, { orderId }));
    const shipment = fallback(call(operations.shipment, { orderId }), {
      carrier: 'unknown',
      eta: null,
    });
    return {
      order: pick(order, 'id', 'status', 'total', 'currency'),
      payment,
      shipment,
      late: map(shipment, (sent) => (sent?.carrier === 'unknown' ? null : sent?.eta === null)),
    };
  };
}
