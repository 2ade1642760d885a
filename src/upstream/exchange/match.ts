/** Matches the answer to a batch to its keys: by a field of items, by key, or by position. */
import type { Lookup } from '../../dsl/lookup.ts';

/** Which items belong to which of the keys that were sent. */
export interface Match {
  /** One item for each key, in the order of the keys; `undefined`: they are in `found`. */
  readonly inOrder: readonly unknown[] | undefined;
  /** By the text of the key; items whose key cannot be read are under `undefined`. */
  readonly found: ReadonlyMap<string | undefined, readonly unknown[]>;
}

/** The keys of a batch as they were sent, and the list of items, or the object of them by key. */
export interface Matched {
  readonly keys: readonly unknown[];
  readonly items: unknown;
}

/** The items of a key that has none. */
export const none: readonly unknown[] = [];

/** No key has an item. */
export const noItems: Match = { inOrder: undefined, found: new Map() };

export function matchOf(lookup: Lookup, { keys, items }: Matched): Match {
  switch (lookup.match) {
    case 'by':
      return byField(lookup, keys, items as readonly unknown[]); // the parser of replies checks it
    case 'key':
      return byName(lookup, items as object); // likewise
    case 'position':
      return byPosition(lookup, keys, items as readonly unknown[]); // likewise
    default:
      return lookup.match satisfies never;
  }
}

function byField(lookup: Lookup, keys: readonly unknown[], items: readonly unknown[]): Match {
  if (areInOrder(lookup, keys, items)) return { inOrder: items, found: noItems.found };
  return { inOrder: undefined, found: Map.groupBy(items, lookup.textOfItem) };
}

function areInOrder(
  { textOfItem, textOfSent }: Lookup,
  keys: readonly unknown[],
  items: readonly unknown[],
): boolean {
  if (items.length !== keys.length) return false;
  for (let index = 0; index < items.length; index += 1)
    if (textOfItem(items[index]) !== textOfSent(keys[index])) return false;
  return true;
}

/** Names that are the same key have one list: `compare` may say so of two. */
function byName(lookup: Lookup, items: object): Match {
  const found = new Map<string | undefined, readonly unknown[]>();
  for (const [name, entry] of Object.entries(items)) {
    const text = lookup.textOfSent(name);
    if (text === undefined) continue; // no key that can be asked for has such a name
    found.set(text, [...(found.get(text) ?? none), ...itemsOf(lookup, entry)]);
  }
  return { inOrder: undefined, found };
}

function byPosition(lookup: Lookup, keys: readonly unknown[], items: readonly unknown[]): Match {
  const found = keys.map(
    (key, index) => [lookup.textOfSent(key), itemsOf(lookup, items[index])] as const,
  );
  return { inOrder: undefined, found: new Map(found) };
}

/** The items of one entry: with `many` it is their list, and `null` always says that it has none. */
function itemsOf({ many }: Lookup, entry: unknown): readonly unknown[] {
  if (entry === null || entry === undefined) return none;
  return many && Array.isArray(entry) ? entry : [entry];
}
