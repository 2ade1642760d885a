/** One order with its payment and shipment. No call needs another's result: all run at once. */
import { call, defineComposition, fallback, map, optional, pick } from 'plait';
import { getOrder } from './upstreams/orders.ts';
import { paymentOf } from './upstreams/payments.ts';
import { shipmentOf } from './upstreams/shipping.ts';

export default defineComposition({
  route: 'GET /orders/:orderId/summary',
  summary: 'One order with its payment and shipment',
  deadlineMs: 2_000,
  compose({ params }) {
    // Required: if this call fails, the request fails.
    const order = call(getOrder, { orderId: params.orderId });

    // Tolerated: if this call fails, `payment` is `null` and the response is marked as degraded.
    const payment = optional(call(paymentOf, { orderId: params.orderId }));

    // Tolerated too, with a fallback in its place, so that a page can always show a carrier.
    const shipment = fallback(call(shipmentOf, { orderId: params.orderId }), {
      carrier: 'unknown',
      eta: null,
    });

    return {
      order: pick(order, 'id', 'status', 'total', 'currency'),
      payment,
      shipment,
      // The fallback has no eta, so whether it is late is unknown: `null`.
      late: map(shipment, (sent) => (sent?.carrier === 'unknown' ? null : sent?.eta === null)),
    };
  },
});
