/** `defineComposition`: one aggregated endpoint, described. */
import type { z } from 'zod';
import { CompositionError } from '../errors.ts';
import type { ResponseCache } from './cache.ts';
import type { Ref, Resolved, Wired } from './reference.ts';
import type { ParamNames, RouteText } from './route.ts';

declare const answer: unique symbol;

/** What `compose` receives: the parts of the client's request, as references. */
export interface Inputs<Params, Query, Body, Headers> {
  readonly params: Ref<Params>;
  readonly query: Ref<Query>;
  readonly body: Ref<Body>;
  /** The headers named in the `headers` schema, and no others. */
  readonly headers: Ref<Headers>;
}

export interface CompositionConfig<Route extends string, Params, Query, Body, Headers, Answer, W> {
  /** Method and path, with `:name` for parameters. */
  readonly route: Route;
  /** One line for people, in `explain` and the API description. */
  readonly summary?: string;
  /** Path parameters. Without it each is a string. */
  readonly params?: z.ZodType<Params> & { readonly shape: ParamSchemas<Route, keyof Params> };
  /** Query parameters, from strings: `z.coerce.number()`. Unknown ones are refused. */
  readonly query?: z.ZodType<Query> & Shaped;
  /** The JSON body, for methods that have one. */
  readonly body?: z.ZodType<Body>;
  /** Request headers `compose` may use, by their lower-case names. */
  readonly headers?: z.ZodType<Headers> & Shaped;
  /** What the endpoint answers. Without it the template's own type is the contract; with it the template must fit and the response is parsed by it. */
  readonly response?: z.ZodType<unknown, Answer>;
  /** The time a request may take, in milliseconds. Default 10,000. */
  readonly deadlineMs?: number;
  /** What caches may keep of the response. Default: nothing (`no-store`). */
  readonly cache?: ResponseCache;
  /** `'fail'`: a failure is an error even where `optional` or `fallback` would tolerate it. Default `'allow'`. */
  readonly degraded?: 'allow' | 'fail';
  /** Describes the response. Runs once, at load, on references. */
  readonly compose: (inputs: Inputs<Params, Query, Body, Headers>) => W;
}

/** A schema for every parameter of the route; for anything else a sentence, which the compiler shows. */
type ParamSchemas<Route extends string, Declared extends PropertyKey> = {
  readonly [N in ParamNames<Route>]: z.ZodType;
} & {
  readonly [
    N in Exclude<Declared, ParamNames<Route>>
  ]: `"${N & string}" is not a parameter of ${Route}: add ":${N & string}" there, or remove it here`;
};

interface Shaped {
  readonly shape: Readonly<Record<string, z.ZodType>>;
}

type StringParams<Route extends string> = { [N in ParamNames<Route>]: string };
type Nothing = Record<never, never>;

/** A composition as a file exports it. `Answer` is the type of its response. */
export interface Composition<out Answer = unknown> {
  readonly [answer]?: Answer;
  readonly kind: 'composition';
  readonly config: AnyConfig;
}

/** The configuration with its types forgotten; from here on it is data. */
export interface AnyConfig {
  readonly route: string;
  readonly summary?: string | undefined;
  readonly params?: (z.ZodType & Shaped) | undefined;
  readonly query?: (z.ZodType & Shaped) | undefined;
  readonly body?: z.ZodType | undefined;
  readonly headers?: (z.ZodType & Shaped) | undefined;
  readonly response?: z.ZodType | undefined;
  readonly deadlineMs?: number | undefined;
  readonly degraded?: 'allow' | 'fail' | undefined;
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
>(
  config: CompositionConfig<Route, Params, Query, Body, Headers, Answer, W>,
): Composition<unknown extends Answer ? Resolved<W> : Answer> {
  if (typeof config.compose !== 'function') {
    throw new CompositionError(
      'defineComposition',
      `${config.route} has no compose(). Describe the response there.`,
    );
  }
  return Object.freeze({ kind: 'composition', config: Object.freeze({ ...config }) });
}

/** Whether a file's default export is what `defineComposition` returns. */
export function isComposition(value: unknown): value is Composition {
  return (
    typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'composition'
  );
}
