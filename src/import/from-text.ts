/** Values that arrive as text, in headers and tables: numbers and booleans are read from it. */
import { chained, zod } from './code.ts';
import type { Chain } from './code.ts';

/** The schema that reads a value of a type from its text; `undefined` for types that have no text. */
export function fromText(type: string | undefined): Chain | undefined {
  switch (type) {
    case 'string':
      return zod('string');
    case 'number':
      return zod('coerce.number');
    case 'integer':
      return chained(zod('coerce.number'), 'int');
    case 'boolean':
      return zod('stringbool');
    default:
      return undefined;
  }
}
