/** Requests for many different things. */
import type { Request } from './request-file.ts';

/** Enough that none comes again before the last one is answered. */
const many = 10_000;

/** One for each of 10,000 ids, or of fewer. */
export function forEachId(toRequest: (id: string) => Request, count = many): readonly Request[] {
  return Array.from({ length: count }, (_, index) => toRequest(`ord_${index}`));
}
