/** As `unshared-summary`, with an entity tag: a client that has the response already gets a 304. */
import { defineComposition } from 'plait';
import { unshared } from './upstreams/operations.ts';
import { summaryBy } from './upstreams/summary.ts';

export default defineComposition({
  route: 'GET /revalidated/:orderId',
  degraded: 'fail',
  cache: { maxAge: 60 },
  compose: summaryBy(unshared),
});
