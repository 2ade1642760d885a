/** As `cached-summary`, at an address where the server written by hand keeps answers, too. */
import { defineComposition } from 'plait';
import { oneByOne } from './upstreams/operations.ts';
import { summaryBy } from './upstreams/summary.ts';

export default defineComposition({
  route: 'GET /kept/:orderId',
  degraded: 'fail',
  compose: summaryBy(oneByOne('kept', { cache: { ttlMs: 3_600_000 } })),
});
