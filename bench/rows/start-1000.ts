/** From the start of the process until it is ready: 1000 compositions, against one. */
import { gateway } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'start-1000',
  subject: gateway({ generated: 1000 }),
  baseline: gateway({ generated: 1 }),
  load: { kind: 'start', measures: 'readyMs' },
} satisfies Row;
