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
    requests: forEachId((id) => ({ path: `/customers/${id}/orders?limit=100` })),
  },
} satisfies Row;
