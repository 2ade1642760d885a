/** Plain objects, as literals and JSON make them, and the fields of values. */

/** Whether `value` is an object as a literal or JSON makes it: not an array, not an instance. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether a value is an object that has an own field of that name. */
export function hasField(
  value: unknown,
  name: PropertyKey,
): value is Readonly<Record<PropertyKey, unknown>> {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name);
}

/** An own field of a value; `undefined` if the value is not an object or has no such field. */
export function fieldOf(value: unknown, name: PropertyKey): unknown {
  return hasField(value, name) ? value[name] : undefined;
}
