/** Nothing is shared: every request makes three calls of its own, even for the same order. */
import { defineComposition } from 'plait';
import { unshared } from './upstreams/operations.ts';
import { summaryBy } from './upstreams/summary.ts';

export default defineComposition({
  route: 'GET /unshared/:orderId',
  // A failure must not make a request cheap: no composition of the bench leaves parts out.
  degraded: 'fail',
  compose: summaryBy(unshared),
});
