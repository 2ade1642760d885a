/** All three answers are in the memory of both: by hand in an LRU cache that asks nothing of them. */
import { forEachId } from '../load/requests.ts';
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'cache-hit-both',
  subject: gateway(),
  baseline: handWritten,
  load: { kind: 'full', requests: forEachId((id) => ({ path: `/kept/${id}` }), 100) },
} satisfies Row;
