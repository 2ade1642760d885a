/** Three calls a request, and nothing new for the client: 304. */
import { forEachId } from '../load/requests.ts';
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'not-modified',
  subject: gateway(),
  baseline: handWritten,
  load: {
    kind: 'full',
    requests: forEachId((id) => ({ path: `/revalidated/${id}` }), 100),
    revalidates: true,
  },
} satisfies Row;
