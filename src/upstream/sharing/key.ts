/** When two calls are the same call, and two keys the same key. */
import { hash } from 'node:crypto';
import { keyText } from '../../dsl/lookup.ts';
import { operationName } from '../../dsl/operation.ts';
import { isPlainObject } from '../../plain-object.ts';
import type { Call } from '../call.ts';

/**
 * A string that two calls share exactly when one reply can serve both: same operation, same arguments,
 * same identity. The order of fields does not matter, `undefined` is absence. Deduplication, coalescing
 * and caching all go by it.
 */
export function keyOf(call: Call): string {
  return call.key ?? `${nameOf(call)} ${canonical(comparable(call))}`;
}

/** What lookups have to share to share a batch: everything but their key. */
export function batchKeyOf(call: Call, by: string): string {
  return `${nameOf(call)} ${hasOnly(call.args, by) ? '{}' : canonical(without(call.args, by))}`;
}

function hasOnly(args: Call['args'], name: string): boolean {
  for (const other in args) if (other !== name) return false;
  return true;
}

function without(args: Call['args'], name: string): Call['args'] {
  const { [name]: _, ...others } = args;
  return others;
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
  return `${operationName(operation)} ${identity}`;
}

/** The arguments; of a lookup, with its key as text, since `7` and `"7"` ask for the same item. */
function comparable({ operation, args }: Call): Call['args'] {
  const by = operation.lookup?.by;
  if (by === undefined || typeof args[by] === 'string') return args;
  const key = keyText(args[by]);
  return key === undefined ? args : { ...args, [by]: key };
}

/**
 * JSON with sorted fields; a `bigint` is the text it becomes in a URL. What JSON has no form for is like
 * nothing else, so that nothing is shared by mistake.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(value, isComparable(value) ? undefined : toComparable) ?? '';
}

/** Most arguments are texts in one order: of those nothing has to be made first (a third of a key's time). */
function isComparable(value: unknown): boolean {
  if (!isPlainObject(value)) return false;
  let before = '';
  for (const name in value) {
    if (typeof value[name] !== 'string' || name < before) return false;
    before = name;
  }
  return true;
}

function toComparable(_: string, part: unknown): unknown {
  if (typeof part === 'bigint') return String(part);
  if (typeof part === 'number' && !Number.isFinite(part)) return unlikeAnything();
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  return isPlainObject(part) ? sorted(part) : unlikeAnything();
}

function unlikeAnything(): string {
  return `\u0000${crypto.randomUUID()}`;
}

function sorted(record: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
