/** Doubts: finds out when a lookup's answer may hide an item of a key, or has one too many. */
import type { Lookup } from '../../dsl/lookup.ts';
import { isPlainObject } from '../../plain-object.ts';
import type { Doubt, Reply } from '../call.ts';
import { none } from './match.ts';
import type { Match } from './match.ts';

/** The answer to a batch. */
export interface LookupAnswer {
  /** The keys as they were sent. */
  readonly keys: readonly unknown[];
  readonly match: Match;
  /** The number of items, or of entries that are one for each key. */
  readonly count: number;
  /** The whole body, which may be the list of items itself. */
  readonly body: unknown;
  readonly headers: Reply['headers'];
}

/** The doubt about an answer; `undefined` if there is none. */
export function doubtOf(lookup: Lookup, given: LookupAnswer): Doubt | undefined {
  const { many, textOfSent } = lookup;
  const answer = isObjectByKey(lookup) ? { ...given, body: undefined } : given;
  const { inOrder, found } = answer.match;
  // If there is one item for each key, none can be missing, unless keys may have several.
  if (inOrder !== undefined) return many && saysMore(answer) ? 'more' : undefined;
  const asked = new Set(answer.keys.map(textOfSent));
  const several = haveTwins(lookup, found, asked) ? 'several' : undefined;
  const without = [...asked].filter((text) => isWithout(answer.match, text));
  // Of the others the answer says by `null` that they have none.
  const isSilent = without.some((text) => !found.has(text));
  if (isSilent && hasOthers(answer.match, asked)) return 'unmatched';
  if (without.length > 0 && saysErrors(lookup, answer.body)) return 'errors';
  if ((isSilent || many) && saysMore(answer)) return 'more';
  if (!isSilent || several !== undefined) return several;
  return fewer(lookup);
}

/** Whether a key has neither an item nor an error. */
function isWithout({ found, failed }: Match, text: string | undefined): boolean {
  return (found.get(text) ?? none).length === 0 && !failed.has(text);
}

function fewer({ many, missing, keys }: Lookup): Doubt | undefined {
  // An empty answer to one key says that it has no item.
  return many || missing === 'error' || keys.kind === 'path' ? undefined : 'fewer';
}

/** Whether there are items or errors of keys that were not asked for. */
function hasOthers({ found, failed }: Match, asked: ReadonlySet<string | undefined>): boolean {
  return [...found.keys(), ...failed.keys()].some((text) => text !== undefined && !asked.has(text));
}

/** Whether the whole body is an object by key, whose fields are keys and say nothing else. */
function isObjectByKey({ match, items }: Lookup): boolean {
  return match === 'key' && items === undefined;
}

/** Whether a key that was asked for has more than one item, of which only the first is used. */
function haveTwins(
  { many }: Lookup,
  found: Match['found'],
  asked: ReadonlySet<string | undefined>,
): boolean {
  if (many) return false;
  return [...asked].some((text) => text !== undefined && (found.get(text) ?? none).length > 1);
}

/** Names of fields that contain errors, in lower case without separators. */
const ofErrors = new Set(['errors', 'error', 'failures', 'failed']);

/** Whether there are errors beside the items, and the lookup does not declare `errors`. */
function saysErrors({ errors }: Lookup, body: unknown): boolean {
  if (errors !== undefined) return false;
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

function saysMore({ body, count, headers }: LookupAnswer): boolean {
  if (/\brel="?next\b/.test(String(headers['link']))) return true;
  if (Number(headers['x-total-count']) > count) return true;
  return fieldsOf(body)
    .flatMap(([name, value]) => (around.has(name) ? fieldsOf(value) : [[name, value] as const]))
    .some(
      ([name, value]) =>
        (ofMore.has(name) && isFilled(value)) ||
        (ofTotals.has(name) && Number(value) > count) ||
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
