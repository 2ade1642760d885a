/** Services are told who asks, and it is always the same: requests share as if they were not told. */
import { forEachId } from '../load/requests.ts';
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

const headers = { authorization: 'Bearer somebody' };

export default {
  name: 'identity-one',
  subject: gateway(),
  baseline: handWritten,
  load: { kind: 'full', requests: forEachId((id) => ({ path: `/identified/${id}`, headers })) },
} satisfies Row;
