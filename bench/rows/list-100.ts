/** Pages of 100 orders with a payment and a shipment each. By hand, too, that is three calls. */
import { forEachId } from '../load/requests.ts';
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'list-100',
  subject: gateway(),
  baseline: handWritten,
  load: {
    kind: 'full',
    // 64 of them would have 12,800 lookups under way, and Plait answers 503 beyond 10,000.
    clients: 32,
    requests: forEachId((id) => ({ path: `/customers/${id}/orders?limit=100` })),
  },
} satisfies Row;
