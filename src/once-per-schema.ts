/** Memoises facts about schemas for as long as the schemas are in use. */
import type { z } from 'zod';

/** Computes `factOf` once for each schema. */
export function oncePerSchema<Fact extends NonNullable<unknown>>(
  factOf: (schema: z.ZodType) => Fact,
): (schema: z.ZodType) => Fact {
  const facts = new WeakMap<z.ZodType, Fact>();
  return function knownFactOf(schema) {
    let fact = facts.get(schema);
    if (fact === undefined) {
      fact = factOf(schema);
      facts.set(schema, fact);
    }
    return fact;
  };
}
