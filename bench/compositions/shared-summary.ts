/** Shares by default: identical calls in flight are one, lookups of one turn are a batch. */
import { defineComposition } from 'plait';
import { shared } from './upstreams/operations.ts';
import { summaryBy } from './upstreams/summary.ts';

export default defineComposition({
  route: 'GET /shared/:orderId',
  degraded: 'fail',
  compose: summaryBy(shared),
});
