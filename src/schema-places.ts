/** Whether a schema leaves values where they are. */
import { z } from 'zod';
import { declaredFields, itemOf, ownField, unwrapped } from './schema.ts';

/**
 * Whether the output of a schema has at `path` the part that its input has there: no transformation
 * around it may have moved it, while it may be changed itself, as by a `trim`. `false` where that
 * is not certain, as in a union.
 */
export function keepsPlaces(schema: z.ZodType, path: readonly string[]): boolean {
  const [name, ...rest] = path;
  if (name === undefined) return true;
  const bare = unwrapped(schema);
  if (bare !== unwrapped(schema, 'in')) return false;
  if (bare instanceof z.ZodAny || bare instanceof z.ZodUnknown) return true;
  const part = partOf(bare, name);
  return part !== undefined && keepsPlaces(part, rest);
}

// zod types these parts of a schema by their core; every schema made by `zod` has methods.
function partOf(bare: z.ZodType, name: string): z.ZodType | undefined {
  if (bare instanceof z.ZodArray) return itemOf(bare);
  if (bare instanceof z.ZodRecord) return bare.valueType as z.ZodType;
  if (!(bare instanceof z.ZodObject)) return undefined;
  return ownField(declaredFields(bare), name) ?? (bare.def.catchall as z.ZodType | undefined);
}
