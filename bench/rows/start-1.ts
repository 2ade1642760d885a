/** From the start of the process until it is ready: one composition, against a server written by hand. */
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'start-1',
  subject: gateway({ generated: 1 }),
  baseline: handWritten,
  load: { kind: 'start', measures: 'readyMs' },
} satisfies Row;
