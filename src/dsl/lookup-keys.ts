/** Where the keys of a lookup go in its requests, and how many bytes they take there. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { stringifyJson } from '../json.ts';
import { fieldOf, isPlainObject } from '../plain-object.ts';
import { declaredFields, kindOf, ownField, unwrapped } from '../schema.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import { parsePath } from './path.ts';
import type { QueryStyle } from './query-style.ts';
import type { Route } from './route.ts';
import { shownValue, withArticle } from '../shown-value.ts';

/**
 * Where the keys of a lookup go: `?ids=a,b`, `?id=a&id=b`, or `{"ids":["a","b"]}`. The place in a
 * body may be a path, as `filter.ids`. `join` makes one text of the parts of a compound key, which is
 * an object in a body otherwise.
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
  refuseUnknownKnobs(style, ['query', 'repeat', 'body', 'join'], `${place}: keys`);
  const {
    query,
    body,
    repeat,
    join,
  }: { query?: string; body?: string; repeat?: boolean; join?: string } = style;
  const name = body ?? query;
  if (typeof name !== 'string' || name === '' || (body !== undefined && query !== undefined)) {
    throw new CompositionError(place, `keys names no place for the keys. ${places}`);
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
    const problem = `keys.body is "${path.join('.')}", but ${where} is ${withArticle(bare.def.type)}`;
    throw new CompositionError(place, `${problem}. The keys need an object around them.`);
  }
  const field = ownField(declaredFields(bare), path[at] ?? '');
  if (field === undefined) return;
  if (at < path.length - 1) return refuseKeysInBody(field, path, place, at + 1);
  const advice = 'is already used for the keys. Rename one.';
  throw new CompositionError(place, `field "${path.join('.')}" of body ${advice}`);
}

/** The part of a lookup that says where its keys go. */
interface Keyed {
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

/** The options that bound the bytes of a request. */
export interface MaxBytes {
  /**
   * The longest request line, in bytes as sent, if keys go into the query. Default 7 KiB, since
   * nginx, Apache and Tomcat accept 8. A key that is too long for it gets a request of its own.
   */
  readonly maxRequestLineBytes?: number | undefined;
  /**
   * The largest request body, in bytes as sent, if keys go into the body. Default 256 KiB. A key
   * that is too long for it gets a request of its own.
   */
  readonly maxRequestBodyBytes?: number | undefined;
}

const defaultBytes = {
  maxRequestLineBytes: 7 * 1024,
  maxRequestBodyBytes: 256 * 1024,
};

/** The option that limits the size of requests whose keys go there. */
export function bytesKnob({ kind }: LookupKeys): keyof MaxBytes {
  return kind === 'body' ? 'maxRequestBodyBytes' : 'maxRequestLineBytes';
}

export function toMaxBytes(
  config: MaxBytes,
  { route, keys, place }: { route: Route; keys: LookupKeys; place: string },
): number {
  const knob = bytesKnob(keys);
  const other = knob === 'maxRequestBodyBytes' ? 'maxRequestLineBytes' : 'maxRequestBodyBytes';
  if (config[other] !== undefined) {
    const where = keys.kind === 'body' ? 'body' : 'query';
    throw new CompositionError(
      place,
      `${other} bounds nothing here: the keys go into the ${where}. Use ${knob}.`,
    );
  }
  const bytes = positive(config[knob] ?? defaultBytes[knob], knob, place);
  const empty =
    keys.kind === 'body'
      ? emptyBodyBytes(keys)
      : requestLineBytes(route.method, `${route.path}?${encodeURIComponent(keys.name)}=`);
  if (bytes > empty) return bytes;
  throw new CompositionError(
    place,
    `${knob} is ${bytes}, but a request takes ${empty} bytes before its first key. ` +
      `The default is ${defaultBytes[knob]}.`,
  );
}

/** The bytes of the line `GET <target> HTTP/1.1` and its end (RFC 9112, 3). */
function requestLineBytes(method: string, target: string): number {
  return method.length + 1 + target.length + ' HTTP/1.1\r\n'.length;
}

function emptyBodyBytes({ path }: LookupKeys): number {
  return Buffer.byteLength(JSON.stringify(placed(path, 0, undefined, [])));
}

/** A request that has no keys yet. */
interface Keyless {
  readonly method: string;
  readonly target: string;
  readonly body: string | Buffer | null;
}

/** The bytes of a request line or body without keys; each key adds its `bytesOfKey`. */
export function bytesWithoutKeys({ keys }: Keyed, { method, target, body }: Keyless): number {
  switch (keys.kind) {
    // The first key has no comma before it.
    case 'body':
      return Buffer.byteLength(body ?? '') - 1;
    case 'separated':
      return requestLineBytes(method, target) - 1;
    case 'repeated':
      return requestLineBytes(method, target);
    case 'path':
      return 0;
    default:
      return keys.kind satisfies never;
  }
}

/** The bytes that one more key adds to a request, with what separates it from the one before. */
export function bytesOfKey({ keys }: Keyed, key: unknown): number {
  switch (keys.kind) {
    case 'body':
      return Buffer.byteLength(stringifyJson(key)) + 1;
    case 'separated':
      return encodeURIComponent(String(key)).length + 1;
    case 'repeated':
      return encodeURIComponent(keys.name).length + encodeURIComponent(String(key)).length + 2;
    case 'path': // it is alone there
      return 0;
    default:
      return keys.kind satisfies never;
  }
}

/** An upper bound of the bytes that keys with so many characters in total add to a request. */
export function mostBytesOfKeys({ keys }: Keyed, count: number, characters: number): number {
  // `%e2%82%ac` in a URL; `"\u0000"` in JSON.
  const most = keys.kind === 'body' ? 6 * characters + 3 * count : 9 * characters + count;
  return keys.kind === 'repeated' ? most + count * (9 * keys.name.length + 1) : most;
}
