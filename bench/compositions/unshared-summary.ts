/** Nothing is shared: every request makes three calls of its own, even for the same order. */
import { defineComposition } from 'plait';
import { unshared } from './upstreams/operations.ts';
import { summaryBy } from './upstreams/summary.ts';

export default defineComposition({
  route: 'GET /unshared/:orderId',
  // Whatever fails has to be seen by who measures: here and in the other compositions of the bench.
  degraded: 'fail',
  compose: summaryBy(unshared),
});
