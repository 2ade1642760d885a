/** `single` of a lookup: the route of one key, of services that have none for many. */
import { CompositionError } from '../errors.ts';
import type { MaxBytes } from './key-bytes.ts';
import { positive } from './knobs.ts';
import { keysInPath } from './lookup-keys.ts';
import type { KeyStyle, LookupKeys } from './lookup-keys.ts';
import type { Limit, LimitConfig } from './lookup-limit.ts';
import type { Route } from './route.ts';

/** The options of a lookup whose requests have many keys. */
export interface ManyKeys<Text> extends MaxBytes {
  readonly route: Text;
  readonly keys: KeyStyle;
  /** The most keys in one request. Default 100. */
  readonly max?: number;
  /**
   * How long the first call of a batch waits for others, in milliseconds. Default 0: until the end
   * of the current turn of the event loop.
   */
  readonly windowMs?: number;
  /**
   * The meaning of a 404 to a request with several keys: `'none'`, that none of them has an item,
   * or `'error'`, a failure. A 404 to a single key always means no item. Default `'error'`.
   */
  readonly notFound?: 'none' | 'error';
  /** Says how many items an answer may have, where a service's own page is smaller than `max`. */
  readonly limit?: LimitConfig;
  readonly single?: undefined;
  readonly concurrency?: undefined;
}

/** The options of a lookup whose service has no endpoint for many keys. */
export interface SingleKeys<Text> {
  /**
   * The route of one key, which is a parameter of it: `'GET /payments/:orderId'`. A 404 or 410
   * means that the key has no item.
   */
  readonly single: Text;
  /** The most calls of a client request that are under way at a time. Default 8. */
  readonly concurrency?: number;
  readonly route?: undefined;
  readonly keys?: undefined;
  readonly max?: undefined;
  readonly maxRequestLineBytes?: undefined;
  readonly maxRequestBodyBytes?: undefined;
  readonly windowMs?: undefined;
  readonly notFound?: undefined;
  readonly limit?: undefined;
}

/** Those options as they may come from JavaScript. */
export type GivenKeys = Partial<Record<keyof ManyKeys<string>, unknown>>;

export const singleKnobs = ['single', 'concurrency'] satisfies (keyof SingleKeys<string>)[];

const ofManyKeys = {
  route: 'says nothing',
  keys: 'says nothing',
  notFound: 'says nothing',
  max: 'bounds nothing',
  maxRequestLineBytes: 'bounds nothing',
  maxRequestBodyBytes: 'bounds nothing',
  windowMs: 'bounds nothing',
  limit: 'bounds nothing',
} as const;

const defaultConcurrency = 8;

/** How the requests of a lookup are made: the parts that `single` changes. */
export interface Requests {
  readonly keys: LookupKeys;
  readonly max: number;
  readonly maxBytes: number;
  readonly windowMs: number;
  /** The most calls of a client request under way; `undefined`: its requests have many keys. */
  readonly concurrency: number | undefined;
  readonly limit: Limit | undefined;
}

/** The route of a lookup, whichever option has it. */
export function routeOfLookup(config: GivenKeys, place: string): string {
  const route = config.single ?? config.route;
  if (typeof route === 'string') return route;
  const advice = "Write route and keys, or single, as in single: 'GET /payments/:orderId'.";
  throw new CompositionError(place, `a lookup has no route. ${advice}`);
}

/** Rejects what `single` leaves no room for, and its own options without it. */
export function refuseBesideSingle(config: GivenKeys, place: string): void {
  if (config.single === undefined) {
    if (config.concurrency === undefined) return;
    const problem = 'concurrency bounds the calls of single, which is not given. Remove it.';
    throw new CompositionError(place, problem);
  }
  for (const [name, why] of Object.entries(ofManyKeys))
    if (config[name as keyof typeof ofManyKeys] !== undefined)
      throw new CompositionError(
        place,
        `single asks for one key at a time, so ${name} ${why}. Remove it.`,
      );
}

/** `names`: the arguments that make a key. Rejects one that is no parameter of the route. */
export function singleRequests(
  concurrency: number = defaultConcurrency,
  { route, names, place }: { route: Route; names: readonly string[]; place: string },
): Requests {
  const other = names.find((name) => !route.params.includes(name));
  if (other !== undefined)
    throw new CompositionError(
      place,
      `single is "${route.text}", which has no ":${other}". Add it.`,
    );
  return {
    keys: keysInPath,
    max: 1,
    maxBytes: Infinity,
    windowMs: 0,
    concurrency: positive(concurrency, 'concurrency', place),
    limit: undefined,
  };
}
