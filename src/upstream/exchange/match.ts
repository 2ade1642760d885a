/** Matches the answer to a batch to its keys: by a field of items, by key, or by position. */
import type { Lookup } from '../../dsl/lookup.ts';
import { saysAbsent } from './absent.ts';
import { failedBeside, noneFailed, statusOfItem } from './match-errors.ts';
import type { Failed } from './match-errors.ts';

/** Which items belong to which of the keys that were sent. */
export interface Match {
  /** One item for each key, in the order of the keys; `undefined`: they are in `found`. */
  readonly inOrder: readonly unknown[] | undefined;
  /** By the text of the key; items whose key cannot be read are under `undefined`. */
  readonly found: ReadonlyMap<string | undefined, readonly unknown[]>;
  /** The statuses of keys that have failed on their own. */
  readonly failed: Failed;
}

/** The keys of a batch as they were sent, and the list of items, or the object of them by key. */
export interface Matched {
  readonly keys: readonly unknown[];
  readonly items: unknown;
  /** The whole body, which may have errors beside the items. Default: there is nothing else. */
  readonly body?: unknown;
}

/** The items of a key that has none. */
export const none: readonly unknown[] = [];

/** No key has an item. */
export const noItems: Match = { inOrder: undefined, found: new Map(), failed: noneFailed };

export function matchOf(lookup: Lookup, { keys, items, body }: Matched): Match {
  const { errors } = lookup;
  const match = matchItems(lookup, keys, items);
  return errors === undefined ? match : withErrors(match, failedBeside(lookup, body));
}

function matchItems(lookup: Lookup, keys: readonly unknown[], items: unknown): Match {
  switch (lookup.match) {
    case 'by':
      return byField(lookup, keys, items as readonly unknown[]); // the parser of replies checks it
    case 'key':
      return byText(lookup, namesOf(lookup, items as object)); // likewise
    case 'position':
      return byText(lookup, placesOf(lookup, keys, items as readonly unknown[])); // likewise
    default:
      return lookup.match satisfies never;
  }
}

function byField(lookup: Lookup, keys: readonly unknown[], items: readonly unknown[]): Match {
  const { errors, textOfItem } = lookup;
  if (errors?.when !== undefined) {
    const entries = items.map((item) => [textOfItem(item), [item]] as const);
    return byText(lookup, entries);
  }
  if (areInOrder(lookup, keys, items))
    return { inOrder: items, found: noItems.found, failed: noneFailed };
  return { inOrder: undefined, found: Map.groupBy(items, textOfItem), failed: noneFailed };
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

/** Items by the text of their key. */
type Entry = readonly [text: string | undefined, items: readonly unknown[]];

/** The entries of an object by key, without those whose name no key can have. */
function namesOf(lookup: Lookup, items: object): readonly Entry[] {
  return Object.entries(items)
    .map(([name, entry]): Entry => [lookup.textOfSent(name), itemsOfEntry(lookup, entry)])
    .filter(([text]) => text !== undefined);
}

function placesOf(
  lookup: Lookup,
  keys: readonly unknown[],
  items: readonly unknown[],
): readonly Entry[] {
  return keys.map((key, index) => [lookup.textOfSent(key), itemsOfEntry(lookup, items[index])]);
}

/** With `many`, an entry is the list of its items; `null` always means that it has none. */
function itemsOfEntry({ many }: Lookup, entry: unknown): readonly unknown[] {
  if (entry === null || entry === undefined) return none;
  return many && Array.isArray(entry) ? entry : [entry];
}

/** Texts that are the same have one list, and items that are errors are in none. */
function byText({ errors }: Lookup, entries: readonly Entry[]): Match {
  const found = new Map<string | undefined, readonly unknown[]>();
  const failed = new Map<string | undefined, number>();
  for (const [text, items] of entries) {
    const usable = items.filter((item) => {
      const status = statusOfItem(errors, item);
      if (status !== undefined) failed.set(text, status);
      return status === undefined;
    });
    if (usable.length > 0 || !failed.has(text))
      found.set(text, [...(found.get(text) ?? none), ...usable]);
  }
  return withErrors({ inOrder: undefined, found, failed: noneFailed }, failed);
}

/** Adds failures; a 404 or 410 is no failure, but says that the key has no item. */
function withErrors(match: Match, more: Failed): Match {
  if (more.size === 0) return match;
  const failed = new Map(match.failed);
  const found = new Map(match.found);
  for (const [text, status] of more) {
    if (!saysAbsent(status)) failed.set(text, status);
    else if (text !== undefined && !found.has(text) && match.inOrder === undefined)
      found.set(text, none);
  }
  return { inOrder: match.inOrder, found, failed };
}
