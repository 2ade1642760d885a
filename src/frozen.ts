/** Freezes values that several requests share, and plans, which all of them share. */
import { isPlainObject } from './plain-object.ts';

/**
 * Freezes plain data deeply, so that no request can change it for the others, as `items.sort()`
 * would. Instances, like a `Date` that a schema made of a text, are left alone.
 */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Object.isFrozen(value)) {
    if (done.has(value)) return value;
    done.add(value);
  }
  if (Array.isArray(value)) {
    Object.freeze(value);
    for (let index = 0; index < value.length; index += 1) frozen(value[index]);
  } else if (isPlainObject(value)) {
    Object.freeze(value);
    for (const key in value) frozen(value[key]);
  }
  return value;
}

/**
 * Values that were frozen before, and so were their parts: values are shared again and again. To be
 * frozen does not say that of the parts. A set of all values would double the time of the first
 * time, which is often the only one.
 */
const done = new WeakSet<object>();
