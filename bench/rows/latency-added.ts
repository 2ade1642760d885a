/** What a client waits longer when a gateway that is half busy stands before the service it asks. */
import { forEachId } from '../load/requests.ts';
import { gateway, service } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'latency-added',
  subject: gateway(),
  baseline: service,
  load: { kind: 'half', requests: forEachId((id) => ({ path: `/orders/${id}` })) },
  target: { of: 'difference', atMost: 2 },
} satisfies Row;
