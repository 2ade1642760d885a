/** `operation` and `lookup`: declare endpoints of a service, with typed arguments and results. */
import type { z } from 'zod';
import { CompositionError } from '../errors.ts';
import type { Numbers } from '../parse.ts';
import { refuseAsynchronous } from './asynchronous.ts';
import { checkedOperationCache } from './cache.ts';
import type { OperationCache } from './cache.ts';
import { isSafe, parseRoute } from './route.ts';
import type { ParamNames, Route, RouteText } from './route.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { checkedLookup, lookupKnobs } from './lookup.ts';
import type { Lookup, LookupOptions } from './lookup.ts';
import { checkedPolicies } from './policies.ts';
import type { EffectivePolicies, Policies } from './policies.ts';
import { checkedHeaders } from './service.ts';
import type { Service } from './service.ts';

declare const types: unique symbol;

/** One endpoint of a service. `Args` and `Result` exist in types only. */
export interface Operation<in Args = never, out Result = unknown> {
  readonly [types]?: (args: Args) => Result;
  readonly name: string;
  readonly service: Service;
  readonly route: Route;
  /** Path parameters whose values may contain slashes, which are sent as `%2F`. */
  readonly slash: readonly string[];
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  /** The schema of the response body, or of one item of a lookup. */
  readonly response: z.ZodType;
  readonly forward: readonly string[];
  readonly policies: EffectivePolicies;
  /** How numbers in its responses are read that JavaScript would change. */
  readonly numbers: Numbers;
  /** Whether sending it twice has the effect of sending it once (RFC 9110, 9.2.2). */
  readonly idempotent: boolean;
  /** Whether it only reads, whatever its method (RFC 9110, 9.2.1). */
  readonly safe: boolean;
  /** `derived`: each write is sent a key of its own, made from the client's `Idempotency-Key`. */
  readonly idempotencyKey: 'derived' | undefined;
  /** Single-flight: whether identical calls of several requests share one request. */
  readonly coalesce: boolean;
  readonly cache: Required<OperationCache> | undefined;
  /** Present on lookups: how keys are sent and items matched. */
  readonly lookup: Lookup | undefined;
}

/** The unique name of an operation in traces, metrics and messages: `orders.getOrder`. */
export function operationName({
  service,
  name,
}: {
  readonly service: Pick<Service, 'name'>;
  readonly name: string;
}): string {
  return `${service.name}.${name}`;
}

interface Common<Text> extends Policies {
  /** The operation's name in traces, problems and `explain`. Default: derived from the route. */
  readonly name?: string;
  readonly route: Text;
  /** Client headers that are forwarded, besides those that the service declares. */
  readonly forward?: readonly string[];
  /** Single-flight: identical calls of several requests share one request. Default `true`. */
  readonly coalesce?: boolean;
  /** Caches responses. Only for calls that read. */
  readonly cache?: OperationCache;
  /**
   * `'rounded'`: under `z.number()`, a number in a response that JavaScript cannot hold exactly
   * becomes the nearest one. Default: it is an error that names the field.
   */
  readonly numbers?: 'exact' | 'rounded';
}

export interface OperationConfig<Text extends string, Query, Body, Response> extends Common<Text> {
  /**
   * Path parameters whose values may contain slashes, like names of packages. A slash is sent as
   * `%2F` within one segment. By default such a value is refused. `:name+` in the route sends
   * segments.
   */
  readonly slash?: readonly ParamNames<Text>[];
  /** The query parameters. Arrays repeat a parameter; `undefined` and `null` leave it out. */
  readonly query?: Query;
  /** The JSON body, given as the argument `body`. */
  readonly body?: Body;
  /**
   * `true`: the service guarantees idempotency (RFC 9110, 9.2.2), so that a failed call may be
   * retried. Default: `true` for GET only.
   */
  readonly idempotent?: boolean;
  /**
   * `true`: it only reads although its method says otherwise, like a search, GraphQL or JSON-RPC by
   * POST. It is then shared, cached, retried and cancelled like a GET.
   */
  readonly safe?: true;
  /**
   * `derived`: if the client has sent an `Idempotency-Key`, each write is sent one of its own, made
   * from that, the client's credentials, the operation, the step and the index in `each`. It stays
   * the same over retries. To pass the client's key as it is, list it in `forward`.
   */
  readonly idempotencyKey?: 'derived';
  /** The body of a 2xx response. A response without a body, like a 204, is `null`. */
  readonly response: Response;
}

export interface LookupConfig<Text, Query, Item extends Schema, By, Key = undefined>
  extends Common<Text>, LookupOptions<Item, FieldOf<Item, By>, Key> {
  /** Further query parameters. Only calls with the same values share a request. */
  readonly query?: Query;
}

type Flat<T> = { [K in keyof T]: T[K] };
type Schema = z.ZodType;

/** The arguments of an operation: path parameters, query parameters and `body` side by side. */
export type ArgsOf<Text extends string, Query, Body> = Flat<
  { [K in ParamNames<Text>]: string | number | bigint } & (Query extends Schema
    ? z.input<Query>
    : unknown) &
    (Body extends Schema ? { body: z.input<Body> } : unknown)
>;

/**
 * `By` if items have that field; otherwise the fields they have and a sentence for the compiler to
 * show.
 */
export type FieldOf<Item extends Schema, By> = By extends keyof z.output<Item>
  ? By
  : Extract<keyof z.output<Item>, string> | `the item has no field "${By & string}"`;

/** The type of a lookup's key: that of the field of its items. */
export type KeyOf<Item, By> = Exclude<z.output<Item>[By & keyof z.output<Item>], null | undefined>;

/** The arguments of a lookup: the key, by its name, and query parameters. */
export type KeyArgs<Item, By, Query, Key = undefined> = Flat<
  {
    [K in By & string]: Key extends Schema ? z.input<Key> : KeyOf<Item, By>;
  } & (Query extends Schema ? z.input<Query> : unknown)
>;

/**
 * Declares one endpoint of a service.
 *
 * @example
 * const getOrder = operation(orders, { route: 'GET /orders/:orderId', response: Order });
 */
export function operation<
  const Text extends RouteText,
  Response extends Schema,
  Query extends z.ZodObject | undefined = undefined,
  Body extends Schema | undefined = undefined,
>(
  service: Service,
  config: OperationConfig<Text, Query, Body, Response>,
): Operation<ArgsOf<Text, Query, Body>, z.output<Response>> {
  const route = parseRoute(config.route, `service "${service.name}"`);
  const name = checkedName(service, config, route);
  const place = operationName({ service, name });
  refuseUnknownKnobs(
    config,
    [...commonKnobs, 'query', 'body', 'response', 'idempotent', 'safe', 'idempotencyKey', 'slash'],
    place,
  );
  const { query, body, response } = config;
  refuseAsynchronous({ query, body, response }, place);
  const safe = isRead(config.safe, route, place);
  const { idempotent = safe } = config;
  if (typeof idempotent !== 'boolean') {
    throw new CompositionError(place, 'idempotent must be true or false.');
  }
  refuseUselessPolicies(config, { idempotent, safe, method: route.method, place });
  if (config.cache !== undefined && !safe) {
    throw new CompositionError(
      place,
      `a ${route.method} may change something, so its responses are not cached. Remove cache.`,
    );
  }
  if (config.body !== undefined && isSafe(route.method)) {
    throw new CompositionError(place, `${route.method} has no body. Use query, or another method.`);
  }
  const names = [
    ...route.params,
    ...Object.keys(config.query?.shape ?? {}),
    ...(config.body ? ['body'] : []),
  ];
  const twice = names.find((argument, index) => names.indexOf(argument) !== index);
  if (twice !== undefined) {
    throw new CompositionError(
      place,
      `argument "${twice}" is declared twice (path, query and body share one list of names). ` +
        'Rename one.',
    );
  }
  return Object.freeze({
    ...common(service, config, name),
    route,
    idempotent,
    safe,
    idempotencyKey: checkedKey(config.idempotencyKey, safe, place),
    slash: checkedSlash(config.slash, route, place),
    query: config.query,
    body: config.body,
    response: config.response,
    lookup: undefined,
  });
}

/**
 * Declares an endpoint that answers many keys in one request. Calls are batched: they are collected
 * and sent as `ceil(distinct keys / max)` requests, and items are matched to keys by their field
 * `by`.
 *
 * A call returns the item of its key, or `null` if there is none (with `missing: 'error'` it
 * fails). With `many: true` it returns the list of all items of its key.
 *
 * @example
 * const paymentOf = lookup(payments, {
 *   route: 'GET /payments', keys: { query: 'orderIds' }, by: 'orderId', item: Payment,
 * });
 */
export function lookup<
  const Text extends RouteText,
  Item extends z.ZodObject,
  const By extends string,
  Query extends z.ZodObject | undefined = undefined,
  const Many extends boolean = false,
  const Missing extends 'null' | 'error' = 'null',
  Key extends z.ZodType<KeyOf<Item, By>> | undefined = undefined,
>(
  service: Service,
  config: LookupConfig<Text, Query, Item, By, Key> & {
    /** Whether several items may belong to one key. Default `false`. */
    readonly many?: Many;
    /** The result for a key without an item: `null` or an error. Default `'null'`. */
    readonly missing?: Missing;
  },
): Operation<
  KeyArgs<Item, By, Query, Key>,
  Many extends true
    ? z.output<Item>[]
    : Missing extends 'error'
      ? z.output<Item>
      : z.output<Item> | null
> {
  const route = parseRoute(config.route, `service "${service.name}"`);
  const name = checkedName(service, config, route);
  const place = operationName({ service, name });
  refuseUnknownKnobs(config, [...commonKnobs, ...lookupKnobs], place);
  const { query, item, key } = config;
  refuseAsynchronous({ query, item, key }, place);
  return Object.freeze({
    ...common(service, config, name),
    route,
    // A lookup only reads, whatever its method.
    idempotent: true,
    safe: true,
    idempotencyKey: undefined,
    slash: [],
    query: config.query,
    body: undefined,
    response: config.item,
    lookup: checkedLookup(config, route, place),
  });
}

function checkedSlash(
  slash: readonly string[] | undefined,
  { segments }: Route,
  place: string,
): readonly string[] {
  if (slash === undefined) return [];
  const names = segments.flatMap((segment) => (segment.kind === 'param' ? [segment.name] : []));
  const known = names.join(', ') || 'none';
  if (!Array.isArray(slash))
    throw new CompositionError(place, `slash is a list of path parameters. There are: ${known}.`);
  const unknown = slash.find((name) => !names.includes(name));
  if (unknown === undefined) return Object.freeze([...slash]);
  const advice = 'A parameter ":name+" takes slashes by itself.';
  throw new CompositionError(
    place,
    `slash names "${unknown}", which is no path parameter of one segment. There are: ${known}. ` +
      advice,
  );
}

const commonKnobs = [
  'name',
  'route',
  'forward',
  'timeoutMs',
  'maxBodyBytes',
  'maxDepth',
  'retry',
  'hedge',
  'coalesce',
  'cache',
  'numbers',
] satisfies (keyof Common<string>)[];

function common(service: Service, config: Common<string>, name: string) {
  const place = operationName({ service, name });
  return {
    name,
    service,
    forward: checkedHeaders([...service.forward, ...(config.forward ?? [])], place),
    policies: checkedPolicies(config, place, service.policies),
    coalesce: config.coalesce ?? true,
    cache: checkedOperationCache(config.cache, place),
    numbers: checkedNumbers(config.numbers, place),
  };
}

function checkedNumbers(numbers: Numbers = 'exact', place: string): Numbers {
  if (numbers === 'exact' || numbers === 'rounded') return numbers;
  throw new CompositionError(place, `numbers is "${String(numbers)}". Use "exact" or "rounded".`);
}

interface OfMethod {
  readonly method: string;
  readonly place: string;
}

function checkedKey(key: 'derived' | undefined, safe: boolean, place: string) {
  if (key === undefined) return undefined;
  if (key !== 'derived') throw new CompositionError(place, 'idempotencyKey must be "derived".');
  if (!safe) return key;
  throw new CompositionError(place, 'a read needs no idempotencyKey. Remove it.');
}

/** Whether an operation only reads: it has a safe method, or is declared `safe`. */
function isRead(safe: unknown, { method }: Route, place: string): boolean {
  if (safe === undefined || safe === true) return safe === true || isSafe(method);
  throw new CompositionError(
    place,
    'safe is true, or absent: otherwise the method says whether it reads. Write safe: true for a ' +
      'read by POST.',
  );
}

/** Rejects retry and hedge where they could never take effect. */
function refuseUselessPolicies(
  config: Policies,
  { idempotent, safe, method, place }: Pick<Operation, 'idempotent' | 'safe'> & OfMethod,
): void {
  if (config.hedge && !(idempotent && safe)) {
    throw new CompositionError(
      place,
      safe
        ? 'an operation that is not idempotent is never hedged. Remove hedge, or idempotent: false.'
        : `a ${method} may change something, so it is never hedged. Remove hedge.`,
    );
  }
  if (config.retry && config.retry.times !== 0 && !idempotent) {
    throw new CompositionError(
      place,
      safe
        ? 'an operation that is not idempotent is never retried. Remove retry, or idempotent: ' +
            'false.'
        : `a ${method} is not retried, since it might be carried out twice. Remove retry, ` +
            'or declare idempotent: true if the service guarantees that.',
    );
  }
}

function checkedName(service: Service, config: Common<string>, route: Route): string {
  const name = config.name ?? defaultName(route);
  if (/^[A-Za-z][\w-]*$/.test(name)) return name;
  throw new CompositionError(
    `service "${service.name}"`,
    `operation name ${JSON.stringify(name)} cannot be used. Use letters, digits, - and _, as in ` +
      '"getOrder".',
  );
}

/** `GET /orders/:orderId/items` → `getOrdersItems`. */
function defaultName(route: Route): string {
  const words = route.segments.flatMap((segment) =>
    segment.kind === 'text' ? segment.text.split(/\W+/) : [],
  );
  return (
    route.method.toLowerCase() +
    words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  );
}
