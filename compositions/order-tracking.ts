/** Where a parcel is. Tracking is called only when there is a shipment, and skipped otherwise. */
import { call, defineComposition, given, pick } from 'plait';
import { getOrder } from './upstreams/orders.ts';
import { shipmentOf, track } from './upstreams/shipping.ts';

export default defineComposition({
  route: 'GET /orders/:orderId/tracking',
  summary: 'Where the latest parcel of an order is',
  compose({ params }) {
    const order = call(getOrder, { orderId: params.orderId });
    const shipment = call(shipmentOf, { orderId: params.orderId });

    // Needs the shipment only, so it does not wait for the order. Skipping it is not a failure.
    const tracking = given(shipment, (present) =>
      call(track, { trackingNumber: present.trackingNumber }),
    );

    return {
      order: pick(order, 'id', 'status'),
      // Without a shipment, `null`: so is every field of a value that is `null`.
      carrier: shipment.carrier,
      eta: shipment.eta,
      tracking,
    };
  },
});
