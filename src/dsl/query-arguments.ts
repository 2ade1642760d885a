/** `query` of an operation: refuses parameters that can never be written into a URL. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { itemOf, unwrapped } from '../schema.ts';
import { withArticle } from './header-names.ts';

/** Kinds of values that have no text in a query. A list repeats its parameter, so it has. */
const unwritable: ReadonlySet<string> = new Set(['object', 'record', 'map', 'set', 'function']);

/** @throws CompositionError for a parameter that is certainly an object, or a list of such. */
export function refuseUnwritableQuery(query: z.ZodType | undefined, place: string): void {
  if (!(query instanceof z.ZodObject)) return;
  for (const [name, schema] of Object.entries(query.shape)) {
    const field = schema as z.ZodType; // zod types fields by their core, without methods
    const item = itemOf(field);
    const { type } = unwrapped(item ?? field).def;
    if (!unwritable.has(type) && !(item !== undefined && type === 'array')) continue;
    throw new CompositionError(
      place,
      `query.${name} is ${item === undefined ? '' : 'a list whose items are each '}` +
        `${withArticle(type)}, which cannot be written into a URL. Use z.string(), or a transform ` +
        'that gives text.',
    );
  }
}
