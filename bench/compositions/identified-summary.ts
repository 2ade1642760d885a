/** As `shared-summary`, with the identity of clients forwarded: it keeps requests apart. */
import { defineComposition } from 'plait';
import { byKeys } from './upstreams/operations.ts';
import { summaryBy } from './upstreams/summary.ts';

export default defineComposition({
  route: 'GET /identified/:orderId',
  degraded: 'fail',
  compose: summaryBy(byKeys('identified', { forward: ['authorization'] })),
});
