/** Tells plain objects from arrays and instances. */

/** Whether `value` is an object as a literal or JSON makes it: not an array, not an instance. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
