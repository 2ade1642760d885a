/** `defineComposition`: declares one aggregated endpoint. */
import type { z } from 'zod';
import type { Answered } from './answered.ts';
import { refuseAsynchronous } from './given-schemas.ts';
import { refuseKinds } from './body-kind.ts';
import { CompositionError } from '../errors.ts';
import type { AuthOption, IdentityOf } from './authenticators.ts';
import type { ResponseCache } from './cache.ts';
import type { RouteRateLimit } from './rate-limit.ts';
import type { Ref, Resolved, Wired } from './reference.ts';
import type { ParamNames, RouteText } from './route.ts';
import { shownValue } from '../shown-value.ts';

declare const answer: unique symbol;

/** The parts of the client's request, as references: the argument of `compose`. */
export interface Inputs<Params, Query, Body, Headers, Cookies = Nothing, Auth = 'none'> {
  readonly params: Ref<Params>;
  readonly query: Ref<Query>;
  readonly body: Ref<Body>;
  /** Only the headers that the `headers` schema names. */
  readonly headers: Ref<Headers>;
  /** Only the cookies that the `cookies` schema names. */
  readonly cookies: Ref<Cookies>;
  /** The client's identity, as one of `auth` has found it. */
  readonly identity: Ref<IdentityOf<Auth>>;
}

export interface CompositionConfig<
  Route extends string,
  Params,
  Query,
  Body,
  Headers,
  Answer,
  W,
  Cookies = Nothing,
  Auth = 'none',
> {
  /** Method and path, with `:name` for each parameter. */
  readonly route: Route;
  /** One line for readers of `explain` and of the API description. */
  readonly summary?: string;
  /**
   * How clients prove who they are: one of the `authenticators` of `gateway.ts`, or several, of
   * which one suffices; `'none'`: everybody may ask. Required as soon as `gateway.ts` has any.
   */
  readonly auth?: Auth;
  /** The scopes that a client needs: any or all of these. Default: none. */
  readonly scopes?: Demand;
  /** The roles that a client needs: any or all of these. Default: none. */
  readonly roles?: Demand;
  /** The path parameters. Default: each is a string. */
  readonly params?: z.ZodType<Params> & { readonly shape: ParamSchemas<Route, keyof Params> };
  /**
   * The query parameters, which arrive as text: `z.coerce.number()`. Unknown ones are refused, or
   * go by `unknownQuery`; `z.strictObject` always refuses and `z.looseObject` always takes them.
   */
  readonly query?: z.ZodType<Query> & Shaped;
  /** The body, for methods that have one: JSON, or of another kind, as by `form` and `text`. */
  readonly body?: z.ZodType<Body>;
  /** The request headers that `compose` may use, by their lower-case names. */
  readonly headers?: z.ZodType<Headers> & Shaped;
  /**
   * The cookies that `compose` may use, by their names; the response is `private` then. A cookie
   * that is sent twice is refused.
   */
  readonly cookies?: z.ZodType<Cookies> & Shaped;
  /**
   * The `cookies` that tell who the client is. Arguments made of them are in keys as a hash only.
   */
  readonly credentials?: readonly NoInfer<keyof Cookies & string>[];
  /**
   * `'ignore'`: query parameters that `query` does not name reach nothing, instead of being
   * refused. Default: that of the gateway, which is `'refuse'`.
   */
  readonly unknownQuery?: UnknownQuery;
  /**
   * The response. With a schema the template has to fit it, and every response is parsed by it;
   * without one the type of the template is the contract.
   */
  readonly response?: z.ZodType<unknown, Answer>;
  /** The time a request may take, in milliseconds. Default 10,000. */
  readonly deadlineMs?: number;
  /** How often it may be asked for; beyond is 429. Default: any number of times. */
  readonly rateLimit?: RouteRateLimit;
  /** The `Cache-Control` of the response. Default: `no-store`. */
  readonly cache?: ResponseCache;
  /**
   * `'fail'`: a failure is an error even if `optional` or `fallback` tolerates it. Default
   * `'allow'`.
   */
  readonly degraded?: 'allow' | 'fail';
  /** Describes the response. Runs once, at start-up, on references. */
  readonly compose: (
    inputs: Inputs<Params, Query, Body, Headers, Cookies, Auth>,
  ) => W | Answered<W>;
}

/**
 * A schema for every parameter of the route. Any other key gets a sentence for the compiler to
 * show.
 */
type ParamSchemas<Route extends string, Declared extends PropertyKey> = {
  readonly [N in ParamNames<Route>]: z.ZodType;
} & { readonly [N in Exclude<Declared, ParamNames<Route>>]: Surplus<Route, N & string> };

type Surplus<
  Route extends string,
  Name extends string,
> = `"${Name}" is not a parameter of ${Route}: add ":${Name}" there, or remove it here`;

/** Names of which a client needs any, or all. */
export type Demand = { readonly any: readonly string[] } | { readonly all: readonly string[] };

/** The fate of query parameters that no schema names. */
export type UnknownQuery = 'refuse' | 'ignore';

/** The schema of an object. */
export interface Shaped {
  readonly shape: Readonly<Record<string, z.ZodType>>;
}

type StringParams<Route extends string> = { [N in ParamNames<Route>]: string };
type Nothing = Record<never, never>;

/** The default export of a composition file. `Answer` is the type of its response. */
export interface Composition<out Answer = unknown> {
  readonly [answer]?: Answer;
  readonly kind: 'composition';
  readonly config: AnyConfig;
}

/** The configuration without its type parameters: from here on it is data. */
export interface AnyConfig {
  readonly route: string;
  readonly summary?: string | undefined;
  readonly auth?: AuthOption | undefined;
  readonly scopes?: Demand | undefined;
  readonly roles?: Demand | undefined;
  readonly params?: (z.ZodType & Shaped) | undefined;
  readonly query?: (z.ZodType & Shaped) | undefined;
  readonly body?: z.ZodType | undefined;
  readonly headers?: (z.ZodType & Shaped) | undefined;
  readonly cookies?: (z.ZodType & Shaped) | undefined;
  readonly credentials?: readonly string[] | undefined;
  readonly unknownQuery?: UnknownQuery | undefined;
  readonly response?: z.ZodType | undefined;
  readonly deadlineMs?: number | undefined;
  readonly degraded?: 'allow' | 'fail' | undefined;
  readonly rateLimit?: RouteRateLimit | undefined;
  readonly cache?: ResponseCache | undefined;
  readonly compose: (inputs: never) => unknown;
}

/** The type of a composition's response. */
export type ResponseOf<C> = C extends Composition<infer Answer> ? Answer : never;

/**
 * Declares an aggregated endpoint: the default export of a file in `compositions/`.
 *
 * @example
 * export default defineComposition({
 *   route: 'GET /orders/:orderId/summary',
 *   compose: ({ params }) => ({ order: call(getOrder, { orderId: params.orderId }) }),
 * });
 */
export function defineComposition<
  const Route extends RouteText,
  const W extends Wired<Answer>,
  Params = StringParams<Route>,
  Query = Nothing,
  Body = undefined,
  Headers = Nothing,
  Answer = unknown,
  Cookies = Nothing,
  const Auth extends AuthOption = 'none',
>(
  config: CompositionConfig<Route, Params, Query, Body, Headers, Answer, W, Cookies, Auth>,
): Composition<unknown extends Answer ? Resolved<W> : Answer> {
  const route: unknown = config.route;
  if (typeof route !== 'string')
    throw new CompositionError(
      'defineComposition',
      `route is ${shownValue(route)}. Write a method and a path, as in "GET /orders/:orderId".`,
    );
  if (typeof config.compose !== 'function') {
    throw new CompositionError(
      'defineComposition',
      `${route} has no compose(). Describe the response there.`,
    );
  }
  const { params, query, body, headers, cookies, response }: AnyConfig = config;
  const place = `defineComposition ${route}`;
  refuseAsynchronous({ params, query, body, headers, cookies, response }, place);
  for (const [option, schema] of Object.entries({ params, query, headers, cookies }))
    refuseKinds(option, schema, { kinds: [], place });
  refuseKinds('response', response, { kinds: ['bytes'], place });
  refuseKinds('body', body, { kinds: ['form', 'text'], place });
  return Object.freeze({ kind: 'composition', config: Object.freeze({ ...config }) });
}

/** Whether a file's default export is what `defineComposition` returns. */
export function isComposition(value: unknown): value is Composition {
  return (
    typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'composition'
  );
}
