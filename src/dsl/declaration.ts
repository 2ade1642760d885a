/** The common part of the declarations of operations and lookups: options, and their checks. */
import type { z } from 'zod';
import { CompositionError } from '../errors.ts';
import type { Numbers } from '../parse.ts';
import { refuseAsynchronous, refuseNoSchema } from './given-schemas.ts';
import type { Schemas } from './given-schemas.ts';
import { refuseKinds } from './body-kind.ts';
import type { BodyKindName } from './body-kind.ts';
import { checkedOperationCache } from './cache.ts';
import type { OperationCache } from './cache.ts';
import { checkedForward } from './forward.ts';
import type { HeaderArguments } from './header-arguments.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { refuseHeaderTwice, refuseKeyTwice } from './own-headers.ts';
import { operationName } from './operation.ts';
import { checkedPolicies, policyKnobs } from './policies.ts';
import type { Policies } from './policies.ts';
import { refuseUnwritableQuery } from './query-arguments.ts';
import { queryStyleOf, writtenStyle } from './query-style.ts';
import type { QueryStyle } from './query-style.ts';
import { redirectsOf } from './redirects.ts';
import type { Redirects } from './redirects.ts';
import { parseRoute } from './route.ts';
import type { Route, RouteOptions } from './route.ts';
import type { Service } from './service.ts';
import { shownSecret, shownValue } from '../shown-value.ts';

/** The options that operations and lookups have in common. */
export interface Common<Text> extends Policies {
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
  /** `false`: it is called without the service's `auth`. Default: with it. */
  readonly auth?: false;
  /** Whether redirects are followed. Default: as for the service, with GET and HEAD. */
  readonly redirects?: Redirects;
  /** How the query is written. Default: what it does not say is as for the service. */
  readonly queryStyle?: QueryStyle;
}

/** The same without the route, which lookups have under two names. */
export type CommonConfig = Omit<Common<string>, 'route'>;

/** `T` with its properties written out, as an editor shows them. */
export type Flat<T> = { [K in keyof T]: T[K] };

/** The argument `body`, which may be left out if its schema says that it is optional. */
export type BodyArg<Body> = Body extends z.ZodType
  ? unknown extends z.input<Body>
    ? { body: z.input<Body> }
    : undefined extends z.input<Body>
      ? { body?: z.input<Body> }
      : { body: z.input<Body> }
  : unknown;

/** The parts of a declaration that all messages about it name. */
interface Declaration {
  readonly route: Route;
  readonly name: string;
  /** Its full name, which begins each message. */
  readonly place: string;
  readonly queryStyle: QueryStyle;
}

/** The parts of a declaration that differ between operations and lookups. */
interface Own extends RouteOptions {
  readonly route: string;
  readonly ownKnobs: readonly string[];
  readonly schemas: Schemas;
}

/**
 * Begins a declaration: reads its route, finds its name, and rejects options besides the common
 * ones and `ownKnobs`, and schemas that are asynchronous.
 */
export function begin(
  service: Service,
  config: CommonConfig,
  { ownKnobs, schemas, ...options }: Own,
): Declaration {
  const route = parseRoute(options.route, `service "${service.name}"`, options);
  const name = checkedName(service, config, route);
  const place = operationName({ service, name });
  refuseUnknownKnobs(config, [...commonKnobs, ...ownKnobs], place);
  refuseNoSchema({ query: schemas['query'], body: schemas['body'] }, place);
  refuseAsynchronous(schemas, place);
  for (const [option, schema] of Object.entries(schemas))
    refuseKinds(option, schema, { kinds: option === 'body' ? sentKinds : [], place });
  const queryStyle = queryStyleOf(config.queryStyle, service, place);
  refuseUnwritableQuery(schemas['query'], queryStyle, place);
  return { route, name, place, queryStyle };
}

/** The kinds of a request's body. */
const sentKinds: readonly BodyKindName[] = [
  'json',
  'form',
  'text',
  'csv',
  'bytes',
  'multipart',
  'xml',
];

const commonKnobs = [
  'name',
  'route',
  'forward',
  ...policyKnobs,
  'coalesce',
  'cache',
  'numbers',
  'auth',
  'redirects',
  'queryStyle',
] satisfies (keyof Common<string>)[];

function checkedName(service: Service, config: CommonConfig, route: Route): string {
  const name = config.name ?? defaultName(route);
  if (typeof name === 'string' && /^[A-Za-z][\w-]*$/.test(name)) return name;
  throw new CompositionError(
    `service "${service.name}"`,
    `operation name ${shownValue(name)} cannot be used. Use letters, digits, - and _, as in ` +
      '"getOrder".',
  );
}

/** `GET /orders/:orderId/items` → `getOrdersItems`. */
function defaultName(route: Route): string {
  const words = route.segments.flatMap((segment) =>
    'text' in segment ? segment.text.split(/(?:%[\da-f]{2}|\W)+/i) : [],
  );
  return (
    route.method.toLowerCase() +
    words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  );
}

/** The facts by which the common options are judged. */
interface Judged {
  readonly isWrite: boolean;
  /** The schemas whose fields are sent by their names, and the name of a lookup's keys. */
  readonly query?: z.ZodObject | undefined;
  readonly headers?: z.ZodObject | undefined;
  readonly keys?: { readonly query?: string } | undefined;
  readonly limit?: { readonly query?: string } | undefined;
}

/** Checks the common options and fills in those of the service. */
export function checkedCommon(
  service: Service,
  config: CommonConfig,
  { name, place, route, queryStyle }: Declaration,
  { isWrite, query, headers, keys, limit }: Judged,
) {
  const forward = mergedForward(service, checkedForward(config.forward ?? [], place, { isWrite }));
  const auth = checkedAuth(config.auth, service, place);
  const ofOperation = fieldsOf(headers);
  refuseHeaderTwice({ ...service, auth, forward, ofOperation }, place);
  refuseKeyTwice(
    [...fieldsOf(query), ...[keys, limit].flatMap((one) => one?.query ?? [])],
    auth,
    place,
  );
  return {
    name,
    service,
    forward,
    policies: checkedPolicies(config, place, service.policies),
    coalesce: config.coalesce ?? true,
    cache: checkedOperationCache(config.cache, place),
    numbers: checkedNumbers(config.numbers, place),
    auth,
    queryStyle: query && writtenStyle(queryStyle),
    redirects: redirectsOf(config.redirects, service, { method: route.method, place }),
  };
}

function fieldsOf(schema: z.ZodObject | undefined): readonly string[] {
  return Object.keys(schema?.shape ?? {});
}

function checkedAuth(own: false | undefined, { auth, name }: Service, place: string) {
  if (own === undefined) return auth;
  if (own !== false) {
    const advice =
      'Other credentials belong to a service of their own, which may have the same url.';
    throw new CompositionError(
      place,
      `auth is ${shownSecret(own)}. Use false, or nothing. ${advice}`,
    );
  }
  if (auth !== undefined) return undefined;
  throw new CompositionError(place, `service "${name}" has no auth. Remove auth: false.`);
}

function mergedForward(service: Service, own: readonly string[]): readonly string[] {
  return [...new Set([...service.forward, ...own])].toSorted();
}

function checkedNumbers(numbers: Numbers = 'exact', place: string): Numbers {
  if (numbers === 'exact' || numbers === 'rounded') return numbers;
  throw new CompositionError(place, `numbers is ${shownValue(numbers)}. Use "exact" or "rounded".`);
}

/** The places from which arguments come. */
interface ArgumentsOf {
  readonly route: Route;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  readonly headers: HeaderArguments | undefined;
}

/** Rejects an argument that two places take, since all share one list; `key`: those of a key. */
export function refuseArgumentTwice(
  { route, query, body, headers }: ArgumentsOf,
  place: string,
  key: readonly string[] = [],
): void {
  const names = [
    ...key,
    ...route.params,
    ...fieldsOf(query),
    ...(body === undefined ? [] : ['body']),
    ...(headers === undefined || headers.names.length === 0 ? [] : ['headers']),
  ];
  const twice = names.find((argument, index) => names.indexOf(argument) !== index);
  if (twice === undefined) return;
  const sharing = `${key.length === 0 ? '' : 'key, '}path, query, body and headers`;
  throw new CompositionError(
    place,
    `argument "${twice}" is declared twice (${sharing} share one list of names). Rename one.`,
  );
}
