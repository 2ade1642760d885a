/** As `unshared-summary` of the other compositions, for clients with a token. */
import { defineComposition } from 'plait';
import { unshared } from '../compositions/upstreams/operations.ts';
import { summaryBy } from '../compositions/upstreams/summary.ts';
import { customers } from './authenticators.ts';

export default defineComposition({
  route: 'GET /unshared/:orderId',
  auth: customers,
  degraded: 'fail',
  compose: summaryBy(unshared),
});
