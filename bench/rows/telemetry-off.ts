/** The gateway against itself: how far a ratio is from 1 by chance. */
import { forEachId } from '../load/requests.ts';
import { gateway } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'telemetry-off',
  subject: gateway(),
  baseline: gateway(),
  load: { kind: 'full', requests: forEachId((id) => ({ path: `/unshared/${id}` })) },
} satisfies Row;
