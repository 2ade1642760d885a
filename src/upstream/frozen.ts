/** Values that several requests get. */

/**
 * Freezes what JSON can hold, all the way down: one request that changed it, as `items.sort()` does,
 * would change it for all. What else a schema made of it, as a `Date`, is left alone.
 */
export function frozen(value: unknown, seen = new Set<unknown>()): unknown {
  if (typeof value !== 'object' || value === null || seen.has(value)) return value;
  if (!Array.isArray(value) && !isPlain(value)) return value;
  seen.add(value);
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part, seen);
  return value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
