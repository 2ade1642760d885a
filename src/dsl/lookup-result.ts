/** The result of a lookup for one key: made of items, and kept in caches. */
import type { z } from 'zod';
import type { Lookup } from './lookup.ts';

/** The schema of the result for one key, given the schema of an item. */
export function resultSchema({ many, missing }: Lookup, item: z.ZodType): z.ZodType {
  if (many) return item.array();
  return missing === 'null' ? item.nullable() : item;
}

/**
 * The result for one key, from the items that were `found` for it; `undefined` if there are none
 * and the lookup says that this is an error.
 */
export function resultOf<Value>(
  { many, missing }: Lookup,
  found: readonly unknown[],
  parse: (item: unknown) => Value,
): Value | Value[] | null | undefined {
  if (found.length === 0 && missing === 'error') return undefined;
  if (many) return found.map(parse);
  return found.length === 0 ? null : parse(found[0]);
}

/** Whether further items for the key could not change the result. */
export function isComplete({ many }: Lookup, found: readonly unknown[]): boolean {
  return !many && found.length > 0;
}

/** The form in which a cache keeps the items found for one key; `foundIn` reads it. */
export function toKept({ many }: Lookup, found: readonly unknown[]): unknown {
  return many ? found : (found[0] ?? null);
}

/** The items in a cached value; `undefined` if it does not have the form that `toKept` gives. */
export function foundIn({ many }: Lookup, kept: unknown): readonly unknown[] | undefined {
  if (many) return Array.isArray(kept) ? kept : undefined;
  return kept === null ? [] : [kept];
}

/** Whether a cached value says that there is no item for the key. */
export function isKeptAsMissing({ many }: Lookup, kept: unknown): boolean {
  return !many && kept === null;
}
