/** A request finds its plan among 1000, against a gateway with only that one. */
import { lastGenerated } from '../generate-compositions.ts';
import { forEachId } from '../load/requests.ts';
import { gateway } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'compositions-1000',
  subject: gateway({ generated: 1000 }),
  baseline: gateway({ generated: 1 }),
  load: {
    kind: 'full',
    requests: forEachId((id) => ({ path: `${lastGenerated}/${id}/summary` })),
  },
} satisfies Row;
