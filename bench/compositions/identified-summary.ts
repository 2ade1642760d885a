/** As `shared-summary`, with the client's identity forwarded: only requests of one identity share. */
import { defineComposition } from 'plait';
import { byKeys } from './upstreams/operations.ts';
import { summaryBy } from './upstreams/summary.ts';

export default defineComposition({
  route: 'GET /identified/:orderId',
  degraded: 'fail',
  compose: summaryBy(byKeys('identified', { forward: ['authorization'] })),
});
