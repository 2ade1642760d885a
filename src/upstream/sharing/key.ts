/** Keys of calls: two calls with the same key can be answered by one reply. */
import { hash } from 'node:crypto';
import { isBytes } from '../../bytes.ts';
import { operationName } from '../../dsl/operation.ts';
import { isRawJson, toRawJson } from '../../exact-number.ts';
import { isPlainObject } from '../../plain-object.ts';
import type { Call } from '../call.ts';

type Keyed = Pick<Call, 'operation' | 'args' | 'identity' | 'conceals'> &
  Partial<Pick<Call, 'givenTarget'>>;

/**
 * The key of a call: equal for calls with the same operation, arguments and identity, and for no
 * others. The order of fields does not matter; a field that is `undefined` counts as absent.
 * Deduplication, coalescing and caching go by it, and loads with the same key share batches. Of
 * arguments with a credential it has a hash, since keys are kept in memory and in shared caches.
 */
export function keyOf({ operation, args, givenTarget, identity, conceals }: Keyed): string {
  const given = isEmpty(args) ? '{}' : canonical(comparableArguments(operation, args));
  // As a hash, since a service may put what it was sent into the addresses that it gives.
  const text = givenTarget === undefined ? given : `${given} @${hashOf(givenTarget)}`;
  return `${operationName(operation)} ${identity} ${conceals ? hashOf(text) : text}`;
}

/** The arguments, with digests in the place of bytes. */
function comparableArguments({ bodyKind }: Keyed['operation'], args: Call['args']): object {
  const mayHaveBytes = bodyKind.kind === 'bytes' || bodyKind.kind === 'multipart';
  return mayHaveBytes ? { ...args, body: withDigests(args['body']) } : args;
}

/** Objects go one level down, so that none with the name and value of a digest equals the bytes. */
function withDigests(value: unknown): unknown {
  if (isBytes(value)) return { bytes: value.digest };
  if (Array.isArray(value)) return value.map(withDigests);
  if (!isPlainObject(value)) return value;
  const fields = Object.entries(value).map(([name, part]) => [name, withDigests(part)] as const);
  return { fields: Object.fromEntries(fields) };
}

/** Not JSON, so that it equals no arguments. */
function hashOf(text: string): string {
  return `#${hash('sha256', text, 'base64url')}`;
}

/** The key of one lookup key, given as text, whose call has the key `name`. */
export function keyOfItem(name: string, text: string, conceals = false): string {
  return `${name} ${conceals ? hashOf(text) : JSON.stringify(text)}`;
}

function isEmpty(args: Call['args']): boolean {
  for (const _ in args) return false;
  return true;
}

/**
 * The identity of a call: a hash of the headers that its operation forwards, and of credentials
 * among its arguments. Not the headers themselves, since it is kept in memory and in shared caches.
 */
export function identityOf(headers: Readonly<Record<string, unknown>>): string {
  return isEmpty(headers) ? '' : hash('sha256', canonical(headers), 'base64url');
}

/**
 * Canonical JSON: fields are sorted, and exact numbers are written by their digits, as in a body:
 * `7n` is `7` and not `"7"`. A value that JSON cannot represent equals no other value, so that
 * nothing is shared by mistake.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(value, isComparable(value) ? undefined : toComparable) ?? '';
}

/** Most arguments are strings in sorted order, and need no copy: that saves a third of the time. */
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
  if (typeof part === 'bigint') return toRawJson(String(part));
  if (typeof part === 'number' && !Number.isFinite(part)) return unlikeAnything();
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  // `JSON.stringify` has called `toJSON` of an `UnheldNumber` before.
  if (isRawJson(part)) return part;
  return isPlainObject(part) ? sorted(part) : unlikeAnything();
}

function unlikeAnything(): string {
  return `\u0000${crypto.randomUUID()}`;
}

function sorted(record: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
