/** Services are told who asks, and it is always somebody else: nothing can be shared. */
import { forEachId } from '../load/requests.ts';
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'identity-many',
  subject: gateway(),
  baseline: handWritten,
  load: {
    kind: 'full',
    requests: forEachId((id) => ({
      path: `/identified/${id}`,
      headers: { authorization: `Bearer customer of ${id}` },
    })),
  },
} satisfies Row;
