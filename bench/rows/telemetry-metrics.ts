/** Metrics are counted, as they are unless telemetry is turned off; no request is recorded. */
import { forEachId } from '../load/requests.ts';
import { gateway } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'telemetry-metrics',
  subject: gateway({ metrics: true }),
  baseline: gateway(),
  load: { kind: 'full', requests: forEachId((id) => ({ path: `/unshared/${id}` })) },
} satisfies Row;
