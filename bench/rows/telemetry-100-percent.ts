/** Every request is recorded and exported: a span for itself, two for each call. */
import { forEachId } from '../load/requests.ts';
import { gateway } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'telemetry-100-percent',
  subject: gateway({ sampled: 1 }),
  baseline: gateway(),
  load: { kind: 'full', requests: forEachId((id) => ({ path: `/unshared/${id}` })) },
  target: { of: 'difference', atMost: 75 },
} satisfies Row;
