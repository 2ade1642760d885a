/** `lookup`: declares an endpoint that answers many keys in one request. */
import { z } from 'zod';
import { noteDefinition } from '../defined-at.ts';
import { CompositionError } from '../errors.ts';
import { bodyKindOf, plainJson, refuseKinds } from './body-kind.ts';
import { begin, checkedCommon, refuseArgumentTwice } from './declaration.ts';
import type { CommonConfig } from './declaration.ts';
import { checkedFailure } from './failure-rule.ts';
import type { FailureConfig } from './failure-rule.ts';
import type { ErrorsConfig } from './key-errors.ts';
import { checkedHeaderArguments } from './header-arguments.ts';
import { checkedLookup, lookupKnobs } from './lookup.ts';
import type { Lookup, LookupOptions } from './lookup.ts';
import type { ArgumentsFor, ByOf, KeyArg, KeyArgs, KeyOf, SharedArgs } from './lookup-types.ts';
import { refuseBesideSingle, routeOfLookup } from './single.ts';
import type { ManyKeys, SingleKeys } from './single.ts';
import type { Operation } from './operation.ts';
import { isSafe } from './route.ts';
import type { RouteText } from './route.ts';
import type { Service } from './service.ts';

type Schema = z.ZodType;

export interface LookupConfig<
  Query,
  Item extends Schema,
  By,
  Key = undefined,
  Failure extends Schema = Schema,
  Body = undefined,
  Headers = undefined,
  Argument = string | readonly string[],
  Match = 'by' | 'key' | 'position',
>
  extends CommonConfig, LookupOptions<Item, ByOf<Item, By, Match>, Key, Argument> {
  /** Further query parameters. Only calls with the same values share a request. */
  readonly query?: Query;
  /**
   * The JSON body, given as the argument `body`, into which keys are put. Only calls with the same
   * one share a request.
   */
  readonly body?: Body;
  /**
   * The headers that are arguments, given as the argument `headers`, as those of an operation. Only
   * calls with the same ones share a request.
   */
  readonly headers?: Headers;
  /** Answers that are failures although their status is a 2xx, and their statuses. */
  readonly failure?: FailureConfig<Failure>;
}

/**
 * Declares an endpoint that answers many keys in one request. Calls are batched: they are collected
 * and sent as `ceil(distinct keys / max)` requests, and items are matched to keys by their field
 * `by`, which may be a path: `by: 'order.id'` has the argument `id`, and `by: ['tenantId', 'id']`
 * has both.
 *
 * With `single`, the service has an endpoint for one key only: each key is a request of its own.
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
  Item extends z.ZodType,
  const By extends string | readonly [string, ...string[]],
  Query extends z.ZodObject | undefined = undefined,
  const Many extends boolean = false,
  const Missing extends 'null' | 'error' = 'null',
  Key extends z.ZodType<KeyOf<Item, By, NoInfer<Argument>>> | undefined = undefined,
  Failure extends z.ZodType = z.ZodType,
  Body extends z.ZodType | undefined = undefined,
  Headers extends z.ZodObject | undefined = undefined,
  const Argument extends ArgumentsFor<By> | undefined = undefined,
  const Match extends 'by' | 'key' | 'position' = 'by',
  When extends z.ZodType = z.ZodType,
>(
  service: Service,
  config: LookupConfig<Query, Item, By, Key, Failure, Body, Headers, Argument, Match> & {
    /**
     * How items are matched to keys: `'by'` their fields at `by`; `'key'`, the answer is an object
     * by key; `'position'`, it has one entry, or `null`, for each key in the order sent. With the
     * latter two, `by` only names the argument. Default `'by'`.
     */
    readonly match?: Match;
    /**
     * The entries by which single keys fail: beside the items, or items that fit a schema. A 404 or
     * 410 is no item; one without a status is a 502.
     */
    readonly errors?: ErrorsConfig<When>;
    /** Whether several items may belong to one key. Default `false`. */
    readonly many?: Many;
    /** The result for a key without an item: `null` or an error. Default `'null'`. */
    readonly missing?: Missing;
  } & (ManyKeys<Text> | SingleKeys<Text>),
): Operation<
  KeyArgs<
    KeyArg<Item, By, Key, Argument>,
    SharedArgs<Text, KeyArg<Item, By, Key, Argument>, Query, Body, Headers>
  >,
  Many extends true
    ? z.output<Item>[]
    : Missing extends 'error'
      ? z.output<Item>
      : z.output<Item> | null
> {
  const { query, item, key, body, headers } = config;
  const declaration = begin(service, config, {
    route: routeOfLookup(config, `service "${service.name}"`),
    // It is known, so that `refuseParts` can say why it is refused.
    ownKnobs: 'response' in config ? [...lookupKnobs, 'response'] : lookupKnobs,
    schemas: { query, item, key, body, headers },
  });
  const { route, place } = declaration;
  refuseParts(config, place);
  refuseBesideSingle(config, place);
  // Keys are put into JSON.
  refuseKinds('body', body, { kinds: ['json'], place });
  if (body !== undefined && isSafe(route.method))
    throw new CompositionError(place, `${route.method} has no body. Use query, or POST.`);
  const common = checkedCommon(service, config, declaration, {
    isWrite: false,
    query,
    headers,
    // It may be in the body instead, or be none at all until `checkedLookup` has seen it.
    keys: config.keys as { readonly query?: string } | undefined,
    limit: config.limit,
  });
  const sent = checkedHeaderArguments(headers, { ...common, idempotencyKey: undefined, place });
  const { queryStyle } = declaration;
  const checked = checkedLookup({ ...config, queryStyle }, route, place);
  refuseArgumentTwice({ route, query, body, headers: sent }, place, keyBeside(checked));
  return noteDefinition(
    Object.freeze({
      ...common,
      route,
      // A lookup only reads, whatever its method.
      idempotent: true,
      safe: true,
      idempotencyKey: undefined,
      slash: [],
      query: config.query,
      body: config.body,
      bodyKind: bodyKindOf(config.body),
      responseKind: plainJson,
      response: config.item,
      parts: undefined,
      headers: sent,
      lookup: checked,
      missing: 'error',
      failure: checkedFailure(config.failure, { body: undefined, place }),
      problem: undefined,
    }),
  );
}

/** The arguments that make the key, unless they are among the path parameters. */
function keyBeside({ keys, arguments: names }: Lookup): readonly string[] {
  return keys.kind === 'path' ? [] : names;
}

/** Rejects a response as operations have it, with parts or without. */
function refuseParts(config: { readonly item: unknown }, place: string): void {
  if (!('response' in config) && config.item instanceof z.ZodType) return;
  const advice =
    'response' in config && config.response instanceof z.ZodType
      ? 'a lookup has the schema of one item, and no response. Write item.'
      : 'a lookup answers many keys, so headers and status belong to none. Use operation().';
  throw new CompositionError(place, advice);
}
