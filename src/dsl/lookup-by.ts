/** Keys of lookups: the arguments that make one, its text, and where items have it. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { toExactBigInt } from '../exact-number.ts';
import { fieldOf } from '../plain-object.ts';
import { kindOf } from '../schema.ts';
import { checkedCompare, normaliserOf } from './compare.ts';
import type { Compare, Normalise } from './compare.ts';
import type { LookupKeys } from './lookup-keys.ts';
import { parsePath, readPath, schemaAtPath } from './path.ts';
import type { Path } from './path.ts';
import { shownValue, withArticle } from '../shown-value.ts';

/** The arguments that make a key, and how keys are recognised in answers. */
export interface KeyRule {
  /** The names of the arguments that make a key, in order: several of a compound key. */
  readonly arguments: readonly string[];
  /** For each of them, the path of the field of an item that holds it. */
  readonly by: readonly Path[];
  /** How items are matched to keys: by their fields, by the names of an object, or by position. */
  readonly match: 'by' | 'key' | 'position';
  readonly compare: Compare;
  /** Makes one text of those of equal keys; `undefined`: texts are compared as they are. */
  readonly normalise: Normalise | undefined;
  /** Whether a key is one value that is sent and compared as it is. */
  readonly isPlain: boolean;
  /** The text of an item's key, equal for equal keys; `undefined` if it cannot be read. */
  readonly textOfItem: (item: unknown) => string | undefined;
  /** The text of a key as it was sent. */
  readonly textOfSent: (key: unknown) => string | undefined;
}

interface Config {
  readonly by: string | readonly string[];
  readonly argument?: string | readonly string[] | undefined;
  readonly match?: string | undefined;
  readonly compare?: string | undefined;
  readonly item: z.ZodType;
}

/** @throws CompositionError that names the option that cannot be used. */
export function checkedBy(config: Config, keys: LookupKeys, place: string): KeyRule {
  const match = checkedMatch(config.match ?? 'by', place);
  const by = textsOf(config.by).map((text) => parsePath(text, 'by', place));
  if (match === 'by') for (const path of by) refuseUnknownPath(path, config.item, place);
  if (by.length === 0)
    throw new CompositionError(place, 'by is empty. Use the path of the field that holds the key.');
  const names = checkedArguments(config.argument, by, place);
  refuseWrongJoin(keys, { by, match }, place);
  const compare = checkedCompare(config.compare, place);
  const normalise = normaliserOf(compare);
  const isPlain = by.length === 1 && normalise === undefined;
  return {
    arguments: Object.freeze(names),
    by: Object.freeze(by),
    match,
    compare,
    normalise,
    isPlain,
    textOfItem: textAtAll(by, normalise),
    textOfSent: by.length === 1 ? sentText(normalise) : textOfParts(names, keys.join, normalise),
  };
}

function textsOf(value: string | readonly string[]): readonly string[] {
  return Array.isArray(value) ? value : [value as string]; // TypeScript does not narrow both
}

function checkedMatch(match: string, place: string): KeyRule['match'] {
  if (match === 'by' || match === 'key' || match === 'position') return match;
  throw new CompositionError(
    place,
    `match is ${shownValue(match)}. Use "by", "key" or "position".`,
  );
}

function refuseUnknownPath(path: Path, item: z.ZodType, place: string): void {
  const field = schemaAtPath(item, path);
  if (field === undefined) {
    const fields = Object.keys(item instanceof z.ZodObject ? item.shape : {}).join(', ');
    const problem = `by is "${path.text}", which the item does not have.`;
    throw new CompositionError(place, `${problem} It has: ${fields || 'no fields'}.`);
  }
  const kind = kindOf(field, 'in') ?? '';
  if (!['object', 'array', 'boolean'].includes(kind)) return;
  throw new CompositionError(
    place,
    `by is "${path.text}", which is ${withArticle(kind)}, not a key. Use the path of a text or a ` +
      'number.',
  );
}

function checkedArguments(
  given: string | readonly string[] | undefined,
  by: readonly Path[],
  place: string,
): readonly string[] {
  if (given === undefined) {
    const names = by.map((path) => path.names.at(-1) ?? '');
    refuseTwins(names, by, place);
    return names;
  }
  const names = textsOf(given);
  const isUsable = names.every((name) => typeof name === 'string' && name !== '');
  if (isUsable && names.length === by.length && new Set(names).size === names.length) return names;
  const example = by.length === 1 ? 'argument: "id"' : 'argument: ["tenantId", "id"]';
  const wanted = by.length === 1 ? 'a name' : `${by.length} different names, one for each of by`;
  throw new CompositionError(
    place,
    `argument is ${shownValue(given)}, not ${wanted}. Write it as in ${example}.`,
  );
}

function refuseTwins(names: readonly string[], by: readonly Path[], place: string): void {
  const twin = names.findIndex((name, at) => names.indexOf(name) < at);
  if (twin === -1) return;
  const name = names[twin] ?? '';
  const paths = [by[names.indexOf(name)], by[twin]].map((path) => `"${path?.text}"`).join(' and ');
  throw new CompositionError(
    place,
    `${paths} of by both make the argument "${name}". Name all of them by argument.`,
  );
}

function refuseWrongJoin(
  { kind, join }: LookupKeys,
  { by, match }: Pick<KeyRule, 'by' | 'match'>,
  place: string,
): void {
  if (by.length === 1 && join !== undefined)
    throw new CompositionError(
      place,
      'keys.join joins the parts of a key, but by has only one. Remove it.',
    );
  if (by.length > 1 && kind === 'path' && match === 'key')
    throw new CompositionError(
      place,
      `by has ${by.length} parts, but match: "key" with single takes one. Use "by" or "position".`,
    );
  const isObject = kind === 'body' && match !== 'key';
  if (by.length === 1 || join !== undefined || isObject || kind === 'path') return;
  const carrier = kind === 'body' ? 'the name of a field' : 'a query';
  const example = kind === 'body' ? '{ body: "ids", join: ":" }' : '{ query: "ids", join: ":" }';
  throw new CompositionError(
    place,
    `by has ${by.length} parts, which ${carrier} cannot carry. Add join, as in ${example}.`,
  );
}

/**
 * A key as text, since a service may answer `7` for `"7"`. Numbers that JSON cannot carry exactly
 * are not keys: two of them may have become one.
 */
export function keyText(key: unknown): string | undefined {
  if (typeof key === 'number' && !(Math.abs(key) <= Number.MAX_SAFE_INTEGER)) return undefined;
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint'
    ? String(key)
    : undefined;
}

/** The key of an item as its service wrote it: larger numbers are read exactly, too. */
function keyTextOfItem(key: unknown): string | undefined {
  return keyText(key) ?? (typeof key === 'number' ? toExactBigInt(key)?.toString() : undefined);
}

/** Reads keys of one field: a name without dots needs no path. */
function textAt(path: Path, normalise: Normalise | undefined): KeyRule['textOfItem'] {
  const [name = '', ...rest] = path.names;
  if (normalise !== undefined)
    return (item) => comparable(keyTextOfItem(readPath(item, path)), normalise);
  if (rest.length > 0) return (item) => keyTextOfItem(readPath(item, path));
  return (item) => keyTextOfItem(fieldOf(item, name));
}

/** Reads keys of several fields, or of one at any path. */
export function textAtAll(
  by: readonly Path[],
  normalise: Normalise | undefined,
): KeyRule['textOfItem'] {
  const [only, ...others] = by;
  if (only !== undefined && others.length === 0) return textAt(only, normalise);
  return (item) => {
    const parts = by.map((path) => comparable(keyTextOfItem(readPath(item, path)), normalise));
    return textOfAll(parts);
  };
}

function sentText(normalise: Normalise | undefined): KeyRule['textOfSent'] {
  return normalise === undefined ? keyText : (key) => comparable(keyText(key), normalise);
}

function textOfParts(
  names: readonly string[],
  join: string | undefined,
  normalise: Normalise | undefined,
): KeyRule['textOfSent'] {
  return (key) => {
    const parts =
      join === undefined
        ? names.map((name) => keyText(fieldOf(key, name)))
        : String(key).split(join);
    if (parts.length !== names.length) return undefined;
    return textOfAll(parts.map((part) => comparable(part, normalise)));
  };
}

/** A text that is no key of its kind, as `abc` of numbers, equals no key that is asked for. */
function comparable(text: string | undefined, normalise: Normalise | undefined) {
  return text === undefined || normalise === undefined ? text : (normalise(text) ?? text);
}

/** The text of a compound key: no two have the same. */
export function textOfAll(parts: readonly (string | undefined)[]): string | undefined {
  return parts.includes(undefined) ? undefined : JSON.stringify(parts);
}

/** `tenantId + id` */
export function shownBy({ by }: KeyRule): string {
  return by.map(({ text }) => text).join(' + ');
}

/** How texts of keys are made, so that those of other options are not taken for them. */
export function keyShape(rule: KeyRule): string | undefined {
  return rule.isPlain ? undefined : `${shownBy(rule)}, ${rule.compare}`;
}

/** In characters. A longer key could make the request of its whole batch fail. */
const longestKey = 1_024;

/** Why a key is unusable, as the rest of a sentence about it; `undefined` if it is usable. */
export function keyProblem(
  { keys }: { readonly keys: LookupKeys },
  text: string | undefined,
): string | undefined {
  if (text === undefined || text === '')
    return 'is not a key: use a string or a number that is not empty';
  if (text.length > longestKey) return `is longer than ${longestKey} characters`;
  if (keys.kind === 'separated' && text.includes(','))
    return 'contains a comma, which separates keys';
  if (keys.join !== undefined && text.includes(keys.join))
    return `contains "${keys.join}", which joins the parts of a key`;
  return text.isWellFormed() ? undefined : 'is not well-formed Unicode';
}
