/** Guards the inputs of a `map`: numbers that no JavaScript type can hold cannot be read. */
import { isUnheld } from '../exact-number.ts';
import { isPlainObject } from '../plain-object.ts';

export interface GuardedInputs {
  readonly inputs: unknown;
  /** The original of each copy, which the response must contain. */
  readonly originals: ReadonlyMap<unknown, unknown>;
}

/**
 * Copies the objects and lists around such numbers. Reading a property that holds one calls
 * `refuse`; all other properties can be read.
 *
 * @throws Error of `refuse` if `inputs` itself is such a number.
 */
export function guardInputs(inputs: unknown, refuse: () => never): GuardedInputs {
  const originals = new Map<unknown, unknown>();
  if (isUnheld(inputs)) refuse();
  return { inputs: guarded(inputs), originals };

  function guarded(value: unknown): unknown {
    if (!Array.isArray(value) && !isPlainObject(value)) return value;
    let copy: object | undefined;
    for (const [key, part] of Object.entries(value)) {
      const own = isUnheld(part) ? { get: refuse, enumerable: true } : changedTo(part);
      if (own === undefined) continue;
      copy ??= Array.isArray(value) ? [...value] : { ...value };
      Object.defineProperty(copy, key, own);
    }
    if (copy === undefined) return value;
    originals.set(copy, value);
    return Object.freeze(copy);
  }

  function changedTo(part: unknown): PropertyDescriptor | undefined {
    const own = guarded(part);
    return own === part ? undefined : { value: own, enumerable: true };
  }
}
