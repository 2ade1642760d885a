/** One order with its payment and shipment. Nothing here depends on anything else, so all three calls run at once. */
import { call, defineComposition, fallback, map, optional, pick } from 'plait';
import { getOrder } from './upstreams/orders.ts';
import { paymentOf } from './upstreams/payments.ts';
import { shipmentOf } from './upstreams/shipping.ts';

export default defineComposition({
  route: 'GET /orders/:orderId/summary',
  summary: 'One order with its payment and shipment',
  deadlineMs: 2_000,
  compose({ params }) {
    // Required: without the order there is nothing to show, so its failure is the answer's failure.
    const order = call(getOrder, { orderId: params.orderId });

    // Tolerated: the page is useful without it. `null`, and the response says that it is degraded.
    const payment = optional(call(paymentOf, { orderId: params.orderId }));

    // Tolerated with a stand-in, so that the page can always show a carrier.
    const shipment = fallback(call(shipmentOf, { orderId: params.orderId }), {
      carrier: 'unknown',
      eta: null,
    });

    return {
      order: pick(order, 'id', 'status', 'total', 'currency'),
      payment,
      shipment,
      // Of a stand-in nothing can be said.
      late: map(shipment, (sent) => (sent?.carrier === 'unknown' ? null : sent?.eta === null)),
    };
  },
});
