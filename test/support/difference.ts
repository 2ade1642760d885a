/** Where two values are not the same, in the strictest sense that a caller could notice. */

/** The arrays and objects in a value, itself included. */
export function containersOf(value: unknown, found = new Set<unknown>()): ReadonlySet<unknown> {
  if (!isObject(value) || found.has(value)) return found;
  found.add(value);
  for (const key of Reflect.ownKeys(value)) containersOf(value[key], found);
  return found;
}

/**
 * The first place where `found` is not what is `wanted`: another kind of number or object, another
 * order of fields, `undefined` for an absent field, a hole. Parts of `input` must be handed on, or
 * copied, in both alike. `undefined` when there is no such place.
 */
export function differenceOf(
  wanted: unknown,
  found: unknown,
  input: ReadonlySet<unknown>,
  place = '',
): string | undefined {
  if (!isObject(wanted) || !isObject(found)) return Object.is(wanted, found) ? undefined : place;
  if (input.has(wanted) || input.has(found)) return wanted === found ? undefined : place;
  if (wanted instanceof Error) return String(wanted) === String(found) ? undefined : place;
  if (!isAlike(wanted, found)) return `${place} (kind, fields or their order)`;
  for (const key of Reflect.ownKeys(wanted)) {
    const difference = differenceOf(wanted[key], found[key], input, `${place}/${String(key)}`);
    if (difference !== undefined) return difference;
  }
  return differenceOf(insideOf(wanted), insideOf(found), input, `${place} (inside)`);
}

/** Whether two objects are the same but for the values of their fields. */
function isAlike(one: object, other: object): boolean {
  const keys = Reflect.ownKeys(one);
  const others = Reflect.ownKeys(other);
  return (
    Object.getPrototypeOf(one) === Object.getPrototypeOf(other) &&
    Object.isFrozen(one) === Object.isFrozen(other) &&
    keys.length === others.length &&
    keys.every((key, index) => key === others[index])
  );
}

/** The contents of an object besides its fields. */
function insideOf(value: object): unknown {
  if (value instanceof Date) return value.getTime();
  return value instanceof Map || value instanceof Set ? [...value] : undefined;
}

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}
