/** All three answers are kept for as long as a bench may run. */
import { defineComposition } from 'plait';
import { oneByOne } from './upstreams/operations.ts';
import { summaryBy } from './upstreams/summary.ts';

export default defineComposition({
  route: 'GET /cached/:orderId',
  degraded: 'fail',
  compose: summaryBy(oneByOne('cached', { cache: { ttlMs: 3_600_000 } })),
});
