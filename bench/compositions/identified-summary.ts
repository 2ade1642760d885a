/** As `shared-summary`, for services that are told who asks: only requests of one identity share. */
import { defineComposition } from 'plait';
import { byKeys } from './upstreams/operations.ts';
import { summaryBy } from './upstreams/summary.ts';

export default defineComposition({
  route: 'GET /identified/:orderId',
  degraded: 'fail',
  compose: summaryBy(byKeys('identified', { forward: ['authorization'] })),
});
