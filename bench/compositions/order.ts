/** One call passed on, to measure what a gateway adds to a service. */
import { call, defineComposition } from 'plait';
import { unshared } from './upstreams/operations.ts';

export default defineComposition({
  route: 'GET /orders/:orderId',
  compose: ({ params }) => call(unshared.order, { orderId: params.orderId }),
});
