/** Values that several requests get. */

/**
 * Freezes what JSON can hold, all the way down: one request that changed it, as `items.sort()` does,
 * would change it for all. What else a schema made of it, as a `Date`, is left alone.
 */
export function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || done.has(value)) return value;
  if (!Array.isArray(value) && !isPlain(value)) return value;
  done.add(value);
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
  return value;
}

// One value is shared again and again; `isFrozen` would not tell that its parts are done too.
const done = new WeakSet<object>();

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
