/** Every request asks for another order; lookups of one turn are one request to each service. */
import { forEachId } from '../load/requests.ts';
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'summary-batched',
  subject: gateway(),
  baseline: handWritten,
  load: { kind: 'full', requests: forEachId((id) => ({ path: `/shared/${id}` })) },
  target: { of: 'ratio', atMost: 0.45 },
} satisfies Row;
