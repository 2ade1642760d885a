/** Doubts: finds out when a lookup's answer may hide an item of a key, or has one too many. */
import type { Lookup } from '../../dsl/lookup.ts';
import { isPlainObject } from '../../plain-object.ts';
import type { Doubt, Reply } from '../call.ts';

/** The answer to a batch. */
export interface LookupAnswer {
  readonly keys: readonly unknown[];
  readonly items: readonly unknown[];
  /** The whole body, which may be the list of items itself. */
  readonly body: unknown;
  readonly headers: Reply['headers'];
}

/** Whether the items are one for each key, in the order of the keys, and the doubt about them. */
export function matchOf(
  lookup: Lookup,
  answer: LookupAnswer,
): { readonly isInOrder: boolean; readonly doubt: Doubt | undefined } {
  const isInOrder = areInOrder(lookup, answer);
  // If there is one item for each key, none can be missing, unless keys may have several.
  const doubt = isInOrder && !lookup.many ? undefined : doubtOf(lookup, answer, isInOrder);
  return { isInOrder, doubt };
}

function areInOrder(lookup: Lookup, { keys, items }: LookupAnswer): boolean {
  if (items.length !== keys.length) return false;
  for (let index = 0; index < items.length; index += 1)
    if (lookup.textOfItem(items[index]) !== lookup.textOfSent(keys[index])) return false;
  return true;
}

function doubtOf(lookup: Lookup, answer: LookupAnswer, isInOrder: boolean): Doubt | undefined {
  const { many, missing, keys, textOfItem, textOfSent } = lookup;
  const asked = new Set(answer.keys.map(textOfSent));
  const texts = answer.items.map(textOfItem);
  const given = new Set(texts);
  const several = !many && haveTwins(texts, asked) ? 'several' : undefined;
  const lacksItems = !isInOrder && !asked.isSubsetOf(given);
  if (!lacksItems) return many && saysMore(answer) ? 'more' : several;
  given.delete(undefined);
  if (!given.isSubsetOf(asked)) return 'unmatched';
  if (hasErrors(answer.body)) return 'errors';
  if (saysMore(answer)) return 'more';
  if (several !== undefined) return several;
  // An empty answer to one key says that it has no item.
  return many || missing === 'error' || keys.kind === 'path' ? undefined : 'fewer';
}

/** Whether two items have the same of the keys that were asked for. */
function haveTwins(
  texts: readonly (string | undefined)[],
  asked: ReadonlySet<string | undefined>,
): boolean {
  const wanted = texts.filter((text) => text !== undefined && asked.has(text));
  return new Set(wanted).size < wanted.length;
}

/** Names of fields that contain errors, in lower case without separators. */
const ofErrors = new Set(['errors', 'error', 'failures', 'failed']);

function hasErrors(body: unknown): boolean {
  return fieldsOf(body).some(([name, value]) => ofErrors.has(name) && isFilled(value));
}

/** Names of fields that say that there are more pages, likewise. */
const ofMore = new Set([
  'hasmore',
  'hasnext',
  'hasnextpage',
  'truncated',
  'istruncated',
  'next',
  'nextpage',
  'nextcursor',
  'nextpagetoken',
  'nexttoken',
  'nextlink',
  '@odata.nextlink',
  'continuationtoken',
]);
const ofTotals = new Set(['total', 'totalcount', 'totalitems', 'totalelements', 'totalresults']);
const ofPages = new Set(['totalpages', 'pagecount']);

/** Names of fields that may contain such fields. */
const around = new Set(['meta', 'metadata', 'page', 'paging', 'pagination', 'pageinfo', 'links']);

function saysMore({ body, items, headers }: LookupAnswer): boolean {
  if (/\brel="?next\b/.test(String(headers['link']))) return true;
  if (Number(headers['x-total-count']) > items.length) return true;
  return fieldsOf(body)
    .flatMap(([name, value]) => (around.has(name) ? fieldsOf(value) : [[name, value] as const]))
    .some(
      ([name, value]) =>
        (ofMore.has(name) && isFilled(value)) ||
        (ofTotals.has(name) && Number(value) > items.length) ||
        (ofPages.has(name) && Number(value) > 1),
    );
}

/** The fields of an object, by their names in lower case without separators. */
function fieldsOf(value: unknown): (readonly [string, unknown])[] {
  if (!isPlainObject(value)) return [];
  return Object.entries(value).map(([name, field]) => [
    name.toLowerCase().replaceAll(/[_-]/g, ''),
    field,
  ]);
}

/** Whether a value is neither `false`, 0 or `null`, nor empty. */
function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isPlainObject(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}
