/**
 * Lookups answer many keys in one request: their options. Those with rules of their own have files:
 * where the keys go, which arguments make one, `errors`, `limit` and `single`.
 */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { fieldsOf } from '../schema.ts';
import type { Compare } from './compare.ts';
import { toMaxBytes } from './key-bytes.ts';
import type { MaxBytes } from './key-bytes.ts';
import { checkedErrors } from './key-errors.ts';
import type { ErrorRule, GivenErrors } from './key-errors.ts';
import { positive } from './knobs.ts';
import { checkedBy } from './lookup-by.ts';
import type { KeyRule } from './lookup-by.ts';
import { bareName, isInQuery, keysInPath, refuseKeysInBody, toKeys } from './lookup-keys.ts';
import type { KeyStyle, LookupKeys } from './lookup-keys.ts';
import { checkedLimit } from './lookup-limit.ts';
import type { LimitConfig } from './lookup-limit.ts';
import { parsePath } from './path.ts';
import type { Path } from './path.ts';
import type { QueryStyle } from './query-style.ts';
import { isSafe } from './route.ts';
import type { Route } from './route.ts';
import { singleKnobs, singleRequests } from './single.ts';
import type { Requests } from './single.ts';
import { shownValue } from '../shown-value.ts';

/** The options that only lookups have. */
export interface LookupOptions<
  Item = z.ZodType,
  By = string | readonly string[],
  Key = unknown,
  Argument = string | readonly string[],
> {
  /**
   * The path of the field of an item that holds its key, or several of a compound key. The last
   * name of each is an argument.
   */
  readonly by: By;
  /**
   * When two keys are the same, and so asked for once: texts that differ in case only, or numbers
   * that are written differently, as `007` and `7`. Default `'exact'`.
   */
  readonly compare?: Compare | undefined;
  /** The name of the argument instead, or a name for each of `by`. */
  readonly argument?: Argument | undefined;
  readonly item: Item;
  /**
   * The schema of a key. A key that does not fit fails on its own, as an invalid argument, and is
   * not sent: the service might reject the whole batch because of it.
   */
  readonly key?: Key;
  /** The path of the items in the body, as `data.items`, if the body is not the list itself. */
  readonly items?: string;
}

/** A lookup's options, checked. */
export interface Lookup extends KeyRule, Requests {
  /**
   * The schema of a key, of a compound one as an object by arguments; `undefined` allows any string
   * or number.
   */
  readonly key: z.ZodType | undefined;
  readonly many: boolean;
  readonly missing: 'null' | 'error';
  /** Whether `missing` was given, so that keys without items surprise nobody. */
  readonly declaresMissing: boolean;
  /** The meaning of a 404 to several keys: none of them has an item, or a failure. */
  readonly notFound: 'none' | 'error';
  /** The path of the items in the body; `undefined` if the body is the list itself. */
  readonly items: Path | undefined;
  /** How single keys fail inside an answer. */
  readonly errors: ErrorRule | undefined;
}

export const lookupKnobs = [
  'keys',
  ...singleKnobs,
  'by',
  'argument',
  'match',
  'compare',
  'item',
  'key',
  'max',
  'maxRequestLineBytes',
  'maxRequestBodyBytes',
  'windowMs',
  'many',
  'missing',
  'query',
  'body',
  'headers',
  'items',
  'notFound',
  'limit',
  'failure',
  'errors',
];

/** The options of a lookup, and those of its operation that must not conflict with them. */
interface Config extends LookupOptions, MaxBytes {
  readonly keys?: KeyStyle | undefined;
  readonly max?: number | undefined;
  readonly windowMs?: number | undefined;
  readonly limit?: LimitConfig | undefined;
  readonly notFound?: 'none' | 'error' | undefined;
  readonly single?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly match?: 'by' | 'key' | 'position' | undefined;
  readonly query?: z.ZodObject | undefined;
  readonly body?: z.ZodType | undefined;
  readonly errors?: GivenErrors | undefined;
  readonly many?: boolean | undefined;
  readonly missing?: 'null' | 'error' | undefined;
  readonly queryStyle?: QueryStyle | undefined;
}

/** @throws CompositionError that names the option that cannot be used. */
export function checkedLookup(config: Config, route: Route, place: string): Lookup {
  const keys =
    config.single === undefined ? toKeys(config.keys, place, config.queryStyle) : keysInPath;
  const rule = checkedBy(config, keys, place);
  const names = rule.arguments;
  const requests =
    config.single === undefined
      ? requestsOfMany(config, { route, keys, place })
      : singleRequests(config.concurrency, { route, names, place });
  refuseKeysTwice(config, { route, keys, names, place });
  return {
    ...rule,
    ...requests,
    key: checkedKey(config.key, rule, place),
    ...checkedResults(config, place),
    items: config.items === undefined ? undefined : parsePath(config.items, 'items', place),
    errors: checkedErrors(config.errors, rule, place),
  };
}

function requestsOfMany(
  config: Config,
  { route, keys, place }: { route: Route; keys: LookupKeys; place: string },
): Requests {
  const max = positive(config.max ?? 100, 'max', place);
  const { many = false, query } = config;
  return {
    keys,
    max,
    maxBytes: toMaxBytes(config, { route, keys, place }),
    windowMs: positive(config.windowMs ?? 0, 'windowMs', place, { least: 0 }),
    concurrency: undefined,
    limit: checkedLimit(config.limit, { max, many, keys, query, place }),
  };
}

/** The options that say what a call gives. */
function checkedResults(config: Config, place: string) {
  const { many = false, missing = 'null', notFound = 'error' } = config;
  if (typeof many !== 'boolean') {
    throw new CompositionError(place, `many is ${shownValue(many)}. Use true or false.`);
  }
  if (missing !== 'null' && missing !== 'error') {
    throw new CompositionError(place, `missing is ${shownValue(missing)}. Use "null" or "error".`);
  }
  if (notFound !== 'none' && notFound !== 'error') {
    throw new CompositionError(
      place,
      `notFound is ${shownValue(notFound)}. Use "none" or "error".`,
    );
  }
  return { many, missing, declaresMissing: config.missing !== undefined, notFound };
}

function checkedKey(key: unknown, rule: KeyRule, place: string): z.ZodType | undefined {
  if (key === undefined) return undefined;
  if (!(key instanceof z.ZodType))
    throw new CompositionError(place, 'key is not a schema. Use one of zod, as in z.uuid().');
  const names = rule.arguments;
  if (names.length === 1 || hasFields(key, names)) return key;
  const advice = `Use z.object({ ${names.map((name) => `${name}: …`).join(', ')} }).`;
  throw new CompositionError(place, `key is not an object of ${names.join(' and ')}. ${advice}`);
}

function hasFields(schema: z.ZodType, names: readonly string[]): boolean {
  const fields = Object.keys(fieldsOf(schema) ?? {});
  return fields.length === names.length && names.every((name) => fields.includes(name));
}

/** The names that the keys take in arguments and requests. */
interface KeyPlace {
  readonly route: Route;
  readonly keys: LookupKeys;
  readonly names: readonly string[];
  readonly place: string;
}

/** Rejects keys where something else is sent already, or where nothing can be. */
function refuseKeysTwice(
  { query, body }: Pick<Config, 'query' | 'body'>,
  { route, keys, names, place }: KeyPlace,
): void {
  if (keys.kind === 'body') {
    if (isSafe(route.method)) {
      const advice = 'Use { query: … }, or POST.';
      throw new CompositionError(
        place,
        `keys cannot go into the body of a ${route.method}. ${advice}`,
      );
    }
    if (body !== undefined) refuseKeysInBody(body, keys.path, place);
  }
  const param =
    keys.kind === 'path' ? undefined : route.params.find((name) => names.includes(name));
  const field = Object.keys(query?.shape ?? {}).find(
    (name) => names.includes(name) || (isInQuery(keys) && name === bareName(keys)),
  );
  if (param === undefined && field === undefined) return;
  const taken = param === undefined ? `query parameter "${field}"` : `path parameter ":${param}"`;
  throw new CompositionError(place, `${taken} is already used for the keys. Rename one.`);
}
