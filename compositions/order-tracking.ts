/** Where a parcel is. The tracking service is only asked when there is a parcel: a skip is not a failure. */
import { call, defineComposition, given, pick } from 'plait';
import { getOrder } from './upstreams/orders.ts';
import { shipmentOf, track } from './upstreams/shipping.ts';

export default defineComposition({
  route: 'GET /orders/:orderId/tracking',
  summary: 'Where the latest parcel of an order is',
  compose({ params }) {
    const order = call(getOrder, { orderId: params.orderId });
    const shipment = call(shipmentOf, { orderId: params.orderId });

    // Depends on the shipment only, so it does not wait for the order.
    const tracking = given(shipment, (present) =>
      call(track, { trackingNumber: present.trackingNumber }),
    );

    return {
      order: pick(order, 'id', 'status'),
      // Of an absent shipment every field is null.
      carrier: shipment.carrier,
      eta: shipment.eta,
      tracking,
    };
  },
});
