/**
 * Cancels an order as the client saw it: the write depends on the version that was read, so that no
 * order is cancelled that has just been shipped.
 */
import { answer, call, defineComposition, optional } from 'plait';
import { z } from 'zod';
import { cancelOrder, getOrderVersion } from './upstreams/orders.ts';
import { shipmentOf } from './upstreams/shipping.ts';

export default defineComposition({
  route: 'POST /orders/:orderId/cancellation',
  summary: 'Cancel an order that has not been shipped',
  body: z.object({ reason: z.string().max(200) }),
  compose({ params, body }) {
    const order = call(getOrderVersion, { orderId: params.orderId });

    // A write. It needs the version, so it begins when the order is there.
    const cancelled = call(cancelOrder, {
      orderId: params.orderId,
      body: { reason: body.reason },
      headers: { 'if-match': order.headers.etag },
    });

    // Nice to have: it may not keep the client waiting.
    const shipment = optional(call(shipmentOf, { orderId: params.orderId }), { withinMs: 300 });

    // Accepted, not done: the status says so, and `Location` where to look. It is relative to the
    // request, so that it is right below any BASE_PATH.
    return answer(
      { orderId: order.body.id, statusBefore: order.body.status, carrier: shipment.carrier },
      {
        status: cancelled.status,
        headers: { location: 'summary' },
      },
    );
  },
});
