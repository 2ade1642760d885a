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
 * Values that were frozen together with their parts, since values are shared repeatedly;
 * `Object.isFrozen` says nothing about parts. A set of all parts would double the cost of the first
 * time, which is often the only one.
 */
const done = new WeakSet<object>();
