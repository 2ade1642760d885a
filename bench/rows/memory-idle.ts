/** What the process holds when it is ready and nobody has asked for anything. */
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'memory-idle',
  subject: gateway(),
  baseline: handWritten,
  load: { kind: 'start', measures: 'rssMiB' },
  target: { of: 'subject', atMost: 120 },
} satisfies Row;
