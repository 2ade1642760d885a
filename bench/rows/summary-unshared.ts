/** Three calls a request, whatever others ask for: what planning, checking and merging cost. */
import { forEachId } from '../load/requests.ts';
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'summary-unshared',
  subject: gateway(),
  baseline: handWritten,
  load: { kind: 'full', requests: forEachId((id) => ({ path: `/unshared/${id}` })) },
  target: { of: 'ratio', atMost: 0.85 },
} satisfies Row;
