/** From the start of the process until it is ready: 100 compositions, against one. */
import { gateway } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'start-100',
  subject: gateway({ generated: 100 }),
  baseline: gateway({ generated: 1 }),
  load: { kind: 'start', measures: 'readyMs' },
  target: { of: 'subject', atMost: 1000 },
} satisfies Row;
