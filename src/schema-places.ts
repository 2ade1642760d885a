/** Whether a schema leaves values where they are. */
import { z } from 'zod';
import { ownField, unwrapped } from './schema.ts';

/**
 * Whether what a schema makes of a value has at `path` what the value has there: no transformation
 * around it may have moved it. `false` where that is not certain, as in a union. It may be changed itself, as by a `trim`.
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

// zod types the parts of a schema by their core; every schema made by `zod` has methods.
function partOf(bare: z.ZodType, name: string): z.ZodType | undefined {
  if (bare instanceof z.ZodArray) return bare.element as z.ZodType;
  if (bare instanceof z.ZodRecord) return bare.valueType as z.ZodType;
  if (!(bare instanceof z.ZodObject)) return undefined;
  const shape = bare.shape as Readonly<Record<string, z.ZodType>>;
  return ownField(shape, name) ?? (bare.def.catchall as z.ZodType | undefined);
}
