/** Where the keys of a lookup go in its requests. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { fieldOf, isPlainObject } from '../plain-object.ts';
import { declaredFields, kindOf, ownField, unwrapped } from '../schema.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { parsePath } from './path.ts';
import type { QueryStyle } from './query-style.ts';
import { shownValue, withArticle } from '../shown-value.ts';

/**
 * Where the keys of a lookup go: `?ids=a,b`, `?id=a&id=b`, or `{"ids":["a","b"]}`. The place in a
 * body may be a path, as `filter.ids`. `join` makes one text of the parts of a compound key, which
 * is an object in a body otherwise.
 */
export type KeyStyle =
  | { readonly query: string; readonly repeat?: boolean; readonly join?: string }
  | { readonly body: string; readonly join?: string };

/**
 * Where the keys go, and the name of the query parameter, path of the field, or path parameter that
 * holds them.
 */
export interface LookupKeys {
  readonly kind: 'separated' | 'repeated' | 'body' | 'path';
  readonly name: string;
  /** The names of the fields on the way to the keys in the body. */
  readonly path: readonly string[];
  /** Makes one text of the parts of a compound key. */
  readonly join: string | undefined;
}

/** The keys of a lookup with `single`. */
export const keysInPath: LookupKeys = { kind: 'path', name: '', path: [], join: undefined };

const places = 'Use { query: "ids" }, { query: "id", repeat: true } or { body: "ids" }.';

export function isInQuery({ kind }: LookupKeys): boolean {
  return kind === 'separated' || kind === 'repeated';
}

/** Without `repeat`, keys are written as the lists of the service are. */
export function toKeys(
  style: KeyStyle | undefined,
  place: string,
  { arrays }: QueryStyle = {},
): LookupKeys {
  if (style === undefined) throw new CompositionError(place, `lookup() needs keys. ${places}`);
  refuseUnknownKnobs(style, ['query', 'repeat', 'body', 'join'], place, 'keys');
  const {
    query,
    body,
    repeat,
    join,
  }: { query?: string; body?: string; repeat?: boolean; join?: string } = style;
  const name = body ?? query;
  if (typeof name !== 'string' || name === '' || (body !== undefined && query !== undefined)) {
    throw new CompositionError(place, `keys does not say where the keys go. ${places}`);
  }
  if (repeat !== undefined && typeof repeat !== 'boolean')
    throw new CompositionError(place, `keys.repeat is ${shownValue(repeat)}. Use true or false.`);
  const { kind, suffix } = body === undefined ? stylesInQuery[styleOf(repeat, arrays)] : inBody;
  const path = body === undefined ? [] : parsePath(body, 'keys.body', place).names;
  return { kind, name: name + suffix, path, join: checkedJoin(join, kind, place) };
}

function styleOf(
  repeat: boolean | undefined,
  arrays: QueryStyle['arrays'] = 'comma',
): keyof typeof stylesInQuery {
  return repeat === undefined ? arrays : repeat ? 'repeat' : 'comma';
}

const brackets = '[]';

const inBody = { kind: 'body', suffix: '' } as const;

const stylesInQuery = {
  repeat: { kind: 'repeated', suffix: '' },
  comma: { kind: 'separated', suffix: '' },
  brackets: { kind: 'repeated', suffix: brackets },
} as const;

/** The name of the query parameter that holds the keys, as an argument would have it. */
export function bareName({ name }: LookupKeys): string {
  return name.endsWith(brackets) ? name.slice(0, -brackets.length) : name;
}

function checkedJoin(join: unknown, kind: LookupKeys['kind'], place: string): string | undefined {
  if (join === undefined) return undefined;
  if (typeof join !== 'string' || join === '')
    throw new CompositionError(
      place,
      `keys.join is ${shownValue(join)}. Use text that no part of a key contains, as ":".`,
    );
  if (kind !== 'separated' || !join.includes(',')) return join;
  throw new CompositionError(
    place,
    `keys.join is "${join}", but a comma separates keys. Use another text, as ":".`,
  );
}

/** Rejects keys that would replace a field of the body, or that it has no object for. */
export function refuseKeysInBody(
  body: z.ZodType,
  path: readonly string[],
  place: string,
  at = 0,
): void {
  const bare = unwrapped(body);
  if (!(bare instanceof z.ZodObject)) {
    if (kindOf(bare) === undefined) return; // of a union, say, the fields are not known
    const where = at === 0 ? 'body' : `"${path.slice(0, at).join('.')}" in body`;
    const found = `${where} is ${withArticle(bare.def.type)}`;
    throw new CompositionError(
      place,
      `keys.body is "${path.join('.')}", but ${found}. The keys need an object around them.`,
    );
  }
  const field = ownField(declaredFields(bare), path[at] ?? '');
  if (field === undefined) return;
  if (at < path.length - 1) return refuseKeysInBody(field, path, place, at + 1);
  const advice = 'is already used for the keys. Rename one.';
  throw new CompositionError(place, `field "${path.join('.')}" of body ${advice}`);
}

/** The part of a lookup that says where its keys go. */
export interface Keyed {
  readonly keys: LookupKeys;
}

/** The encoded keys as part of a query string; empty if they go into the body. */
export function keysInQuery({ keys }: Keyed, values: readonly unknown[]): string {
  const name = encodeURIComponent(keys.name);
  const texts = (): string[] => values.map((value) => encodeURIComponent(String(value)));
  switch (keys.kind) {
    case 'separated':
      return `${name}=${texts().join(',')}`;
    case 'repeated':
      return texts()
        .map((text) => `${name}=${text}`)
        .join('&');
    case 'body':
    case 'path':
      return '';
    default:
      return keys.kind satisfies never;
  }
}

/**
 * The body with the keys in it; `undefined` where it has a value on their way that is no object.
 * Keys replace a field that is in their place, since a loose schema lets any through.
 */
export function withKeys(
  { keys: { path } }: Keyed,
  body: unknown,
  values: readonly unknown[],
): object | undefined {
  let inner: unknown = body;
  for (let at = 0; at < path.length; at += 1) {
    if (inner !== undefined && !isPlainObject(inner)) return undefined;
    inner = fieldOf(inner, path[at] ?? '');
  }
  return placed(path, 0, body, values);
}

function placed(
  path: readonly string[],
  at: number,
  around: unknown,
  values: readonly unknown[],
): object {
  const name = path[at] ?? '';
  const isLast = at === path.length - 1;
  const own = isLast ? values : placed(path, at + 1, fieldOf(around, name), values);
  return around === undefined ? { [name]: own } : { ...around, [name]: own };
}

/** An example for `explain`: the keys a and b in a request, or a1 with a2 and b1 with b2. */
export function keysExample({
  keys: { kind, name, path, join },
  arguments: names,
}: Keyed & { readonly arguments: readonly string[] }): string {
  const [a, b] = ['a', 'b'].map((letter) => {
    const parts = names.map((one, at) => [one, names.length === 1 ? letter : `${letter}${at + 1}`]);
    const isText = parts.length === 1 || join !== undefined;
    return isText ? parts.map(([, part]) => part).join(join) : Object.fromEntries(parts);
  });
  switch (kind) {
    case 'separated':
      return `?${name}=${a},${b}`;
    case 'repeated':
      return `?${name}=${a}&${name}=${b}`;
    case 'body':
      return JSON.stringify(placed(path, 0, undefined, [a, b]));
    case 'path':
      return '';
    default:
      return kind satisfies never;
  }
}
