/** When two calls are the same call, and two keys the same key. */
import { hash } from 'node:crypto';
import type { Call } from './call.ts';

/**
 * A string that two calls share exactly when one reply can serve both: same operation, same arguments,
 * same identity. The order of fields does not matter, `undefined` is absence. Deduplication, coalescing
 * and caching all go by it.
 */
export function keyOf(call: Call): string {
  return `${nameOf(call)} ${canonical(comparable(call))}`;
}

/** What lookups have to share to share a batch: everything but their key. */
export function batchKeyOf(call: Call, by: string): string {
  return `${nameOf(call)} ${canonical({ ...call.args, [by]: undefined })}`;
}

/**
 * Who asks, as far as the operation is told: a hash of the headers it forwards, after authentication.
 * It ends up in memory and in shared caches, so the values themselves are not in it.
 */
export function identityOf(headers: Call['headers']): string {
  const names = Object.keys(headers);
  return names.length === 0 ? '' : hash('sha256', canonical(headers), 'base64url');
}

function nameOf({ operation, identity }: Call): string {
  return `${operation.service.name}.${operation.name} ${identity}`;
}

/** The arguments; of a lookup, with its key as text, since `7` and `"7"` ask for the same item. */
function comparable({ operation, args }: Call): Call['args'] {
  const by = operation.lookup?.by;
  const key = by === undefined ? undefined : keyText(args[by]);
  return by === undefined || key === undefined ? args : { ...args, [by]: key };
}

/**
 * A key as text: a service may answer `7` for `"7"`. Numbers that JSON cannot carry exactly are no keys:
 * two of them may have become the same.
 */
export function keyText(key: unknown): string | undefined {
  if (typeof key === 'number' && !(Math.abs(key) <= Number.MAX_SAFE_INTEGER)) return undefined;
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint'
    ? String(key)
    : undefined;
}

/** JSON with sorted fields; a `bigint` is the text it becomes in a URL. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => toComparable(part)) ?? '';
}

function toComparable(part: unknown): unknown {
  if (typeof part === 'bigint') return String(part);
  return isRecord(part) ? sorted(part) : part;
}

function sorted(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
