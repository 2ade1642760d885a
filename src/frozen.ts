/** Values that are shared: by several requests, or, as plans, by all of them. */
import { isPlainObject } from './plain-object.ts';

/**
 * Freezes plain data all the way down: one request that changed it, as `items.sort()` does, would
 * change it for all. Instances, as the `Date` that a schema made of a text, are left alone.
 */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || done.has(value)) return value;
  if (!Array.isArray(value) && !isPlainObject(value)) return value;
  done.add(value);
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
  return value;
}

// One value is shared again and again; `isFrozen` would not tell that its parts are done too.
const done = new WeakSet<object>();
