/** Everybody asks for the same order: identical calls in flight are one. */
import { gateway, handWritten } from '../programs.ts';
import type { Row } from '../row.ts';

export default {
  name: 'summary-hot',
  subject: gateway(),
  baseline: handWritten,
  load: { kind: 'full', requests: [{ path: '/shared/ord_1001' }] },
  target: { of: 'ratio', atMost: 0.45 },
} satisfies Row;
