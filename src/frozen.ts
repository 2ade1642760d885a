/** Freezes values that several requests share, and plans, which all of them share. */
import { isPlainObject } from './plain-object.ts';

/**
 * Freezes plain data deeply, so that no request can change it for the others, as `items.sort()`
 * would. Instances, like a `Date` that a schema made of a text, are left alone.
 */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || done.has(value)) return value;
  if (!Array.isArray(value) && !isPlainObject(value)) return value;
  done.add(value);
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
  return value;
}

// Values are shared again and again. `Object.isFrozen` would not say whether their parts are
// frozen.
const done = new WeakSet<object>();
