/** One request in a hundred is recorded and exported; the others only pass their trace on. */
import { forEachId } from '../load/requests.ts';
import { gateway } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'telemetry-1-percent',
  subject: gateway({ sampled: 0.01 }),
  baseline: gateway(),
  load: { kind: 'full', requests: forEachId((id) => ({ path: `/unshared/${id}` })) },
  target: { of: 'difference', atMost: 15 },
} satisfies Row;
