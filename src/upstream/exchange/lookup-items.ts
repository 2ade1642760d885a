/** The body of an answer to a lookup → its list of items, or the object of them by key. */
import type { Lookup } from '../../dsl/lookup.ts';
import { readPath } from '../../dsl/path.ts';
import { toPointer } from '../../json.ts';
import { isPlainObject } from '../../plain-object.ts';
import type { Attempt } from '../call.ts';
import { callError } from '../call.ts';

type Asked = Pick<Attempt, 'operation' | 'keys'>;

/** @throws UpstreamError of kind `invalid-body` when there are no items, nor `null` for them. */
export function itemsOf(call: Asked, lookup: Lookup, body: unknown): object {
  const found = lookup.items === undefined ? body : readPath(body, lookup.items);
  // `null` is an empty list in Go and the like; an answer without a body, like a 204, has none.
  const items = found === null || isLeftOut(lookup, found, body) ? [] : found;
  if (isAboutOne(lookup)) return aboutOne(call, lookup, found);
  return lookup.match === 'key' ? byKey(call, lookup, items) : listOf(call, lookup, items);
}

/** Whether there are no items beside errors. */
function isLeftOut({ items, errors }: Lookup, found: unknown, body: unknown): boolean {
  if (items === undefined || found !== undefined || errors?.items === undefined) return false;
  const beside = readPath(body, errors.items);
  return typeof beside === 'object' && beside !== null && Object.keys(beside).length > 0;
}

/** Whether the answer is that of the only key, and no list or object around it. */
function isAboutOne({ keys, match, many }: Lookup): boolean {
  return keys.kind === 'path' && (match === 'position' || (match === 'by' && !many));
}

function aboutOne(call: Asked, lookup: Lookup, found: unknown): object {
  if (found === undefined) throw notALookup(call, `${aLookup(lookup)} is not there`);
  return found === null && lookup.match === 'by' ? [] : [found];
}

function byKey(call: Asked, lookup: Lookup, items: unknown): object {
  // An empty object is an empty list in PHP.
  if (isPlainObject(items) || (Array.isArray(items) && items.length === 0)) return items;
  throw notALookup(call, `${aLookup(lookup)} is not an object by key`);
}

function listOf(call: Asked, lookup: Lookup, items: unknown): object {
  if (!Array.isArray(items)) throw notALookup(call, `${aLookup(lookup)} is not a list`);
  const count = call.keys?.length;
  if (lookup.match !== 'position' || items.length === count) return items;
  throw notALookup(call, `a lookup by position of ${count} keys with ${items.length} entries`);
}

function aLookup({ items }: Lookup): string {
  const where = items === undefined ? 'its body' : `${toPointer(items.names)} in its body`;
  return `a lookup, but ${where}`;
}

function notALookup(call: Asked, found: string): Error {
  return callError(call, 'invalid-body', `answered ${found}`, { reached: 'body' });
}
