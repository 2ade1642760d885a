/** What Plait shares without being told: identical calls in flight, and lookups of one turn. */
import { defineComposition } from 'plait';
import { shared } from './upstreams/operations.ts';
import { summaryBy } from './upstreams/summary.ts';

export default defineComposition({
  route: 'GET /shared/:orderId',
  degraded: 'fail',
  compose: summaryBy(shared),
});
