/** All three answers are in the gateway's memory: what that saves, against making the calls. */
import { forEachId } from '../load/requests.ts';
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'cache-hit',
  subject: gateway(),
  baseline: handWritten,
  load: { kind: 'full', requests: forEachId((id) => ({ path: `/cached/${id}` }), 100) },
  target: { of: 'ratio', atMost: 0.25 },
} satisfies Row;
