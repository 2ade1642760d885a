/** When two calls are the same call, and two keys the same key. */
import { hash } from 'node:crypto';
import { operationName } from '../../dsl/operation.ts';
import { isPlainObject } from '../../plain-object.ts';
import type { Call } from '../call.ts';

type Keyed = Pick<Call, 'operation' | 'args' | 'identity'>;

/**
 * A string that two calls share exactly when one reply can serve both: same operation, same arguments,
 * same identity. The order of fields does not matter, `undefined` is absence. Deduplication, coalescing
 * and caching all go by it. Loads that have it in common share batches.
 */
export function keyOf({ operation, args, identity }: Keyed): string {
  return `${operationName(operation)} ${identity} ${isEmpty(args) ? '{}' : canonical(args)}`;
}

/** `keyOf` a lookup for one key, given as text. */
export function keyOfItem({ operation, args, identity }: Keyed, by: string, text: string): string {
  return keyOf({ operation, args: { ...args, [by]: text }, identity });
}

function isEmpty(args: Call['args']): boolean {
  for (const _ in args) return false;
  return true;
}

/**
 * Who asks, as far as the operation is told: a hash of the headers it forwards, after authentication.
 * It ends up in memory and in shared caches, so the values themselves are not in it.
 */
export function identityOf(headers: Call['headers']): string {
  return isEmpty(headers) ? '' : hash('sha256', canonical(headers), 'base64url');
}

/**
 * JSON with sorted fields; a `bigint` is the text it becomes in a URL. A value without a form in JSON
 * equals no other, so that nothing is shared by mistake.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(value, isComparable(value) ? undefined : toComparable) ?? '';
}

/** Most arguments are texts in sorted order already and need no copy: a third of a key's time. */
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
