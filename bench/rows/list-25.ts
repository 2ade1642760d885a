/** Pages of 25 orders with a payment and a shipment each. By hand, too, that is three calls. */
import { forEachId } from '../load/requests.ts';
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'list-25',
  subject: gateway(),
  baseline: handWritten,
  load: {
    kind: 'full',
    requests: forEachId((id) => ({ path: `/customers/${id}/orders?limit=25` })),
  },
  target: { of: 'ratio', atMost: 0.6 },
} satisfies Row;
