/** `operation`: declares one endpoint of a service, with typed arguments and results. */
import type { z } from 'zod';
import { noteDefinition } from '../defined-at.ts';
import { CompositionError } from '../errors.ts';
import { refuseAsynchronous } from './given-schemas.ts';
import { bodyKindOf } from './body-kind.ts';
import { begin, checkedCommon, refuseArgumentTwice } from './declaration.ts';
import type { BodyArg, Common, Flat } from './declaration.ts';
import { checkedFailure } from './failure-rule.ts';
import type { FailureConfig } from './failure-rule.ts';
import { checkedHeaderArguments } from './header-arguments.ts';
import type { HeadersArg } from './header-arguments.ts';
import { refuseSharing, unshared } from './one-client.ts';
import type { Operation } from './operation.ts';
import type { Policies } from './policies.ts';
import { checkedProblem } from './problem-rule.ts';
import type { ProblemConfig } from './problem-rule.ts';
import { checkedResponse, refuseBodyOfHead, setsCookies } from './response-parts.ts';
import type { CheckedResponse, Parts, ResultOf } from './response-parts.ts';
import { isSafe } from './route.ts';
import type { ParamNames, Route, RouteText } from './route.ts';
import type { Service } from './service.ts';
import { shownValue } from '../shown-value.ts';

export interface OperationConfig<
  Text extends string,
  Query,
  Body,
  Response,
  Headers = undefined,
  Missing = 'error',
  Failure extends z.ZodType = z.ZodType,
> extends Common<Text> {
  /**
   * Path parameters whose values may contain slashes, like names of packages. A slash is sent as
   * `%2F` within one segment. By default such a value is refused. `:name+` in the route sends
   * segments.
   */
  readonly slash?: readonly ParamNames<Text>[];
  /** The query parameters. Arrays repeat a parameter; `undefined` and `null` leave it out. */
  readonly query?: Query;
  /**
   * The body, given as the argument `body`: JSON, or of another kind, as by `form`. If its schema
   * gives `undefined` for it, as `.optional()` does for no argument, no body is sent.
   */
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
  /**
   * The headers that are arguments, given as the argument `headers`, by their lower-case names;
   * `undefined` and `null` leave one out. One that is a `z.literal` of a text is a constant.
   */
  readonly headers?: Headers;
  /**
   * The body of a 2xx response. A response without a body, like a 204, is `null`. With
   * `{ body, headers, status }`, the value is an object of the parts that are declared.
   */
  readonly response: Response;
  /**
   * `'null'`: a 404 or 410 means that there is no such thing, and the value is `null`, which does
   * not make the response degraded. Default: it is a failure.
   */
  readonly missing?: Missing;
  /** Answers that are failures although their status is a 2xx, and their statuses. */
  readonly failure?: FailureConfig<Failure>;
  /**
   * The parts of a 400 or 422 that the client gets: the texts of its entries, and their places
   * where those are the client's own. Only where an argument comes straight from the client's
   * request.
   */
  readonly problem?: ProblemConfig;
}

const operationKnobs = [
  'query',
  'body',
  'response',
  'idempotent',
  'safe',
  'idempotencyKey',
  'slash',
  'headers',
  'missing',
  'failure',
  'problem',
] satisfies (keyof OperationConfig<string, unknown, unknown, unknown, unknown>)[];

/**
 * The arguments of an operation: path parameters, query parameters, `body` and `headers` side by
 * side.
 */
export type ArgsOf<Text extends string, Query, Body, Headers = undefined> = Flat<
  { [K in ParamNames<Text>]: string | number | bigint } & (Query extends z.ZodType
    ? z.input<Query>
    : unknown) &
    BodyArg<Body> &
    HeadersArg<Headers>
>;

/**
 * Declares one endpoint of a service.
 *
 * @example
 * const getOrder = operation(orders, { route: 'GET /orders/:orderId', response: Order });
 */
export function operation<
  const Text extends RouteText | `HEAD /${string}`,
  const Response extends z.ZodType | Parts,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
  Headers extends z.ZodObject | undefined = undefined,
  const Missing extends 'null' | 'error' = 'error',
  Failure extends z.ZodType = z.ZodType,
>(
  service: Service,
  config: OperationConfig<Text, Query, Body, Response, Headers, Missing, Failure>,
): Operation<
  ArgsOf<Text, Query, Body, Headers>,
  ResultOf<Response> | (Missing extends 'null' ? null : never)
> {
  const { query, body, headers } = config;
  const declaration = begin(service, config, {
    route: config.route,
    ownKnobs: operationKnobs,
    schemas: { query, body, headers },
    head: true,
  });
  const { route, place } = declaration;
  const { response, parts } = checkedResponse(config.response, place);
  refuseAsynchronous({ response }, place);
  refuseBodyOfHead(route.method, { response, parts }, place);
  const safe = isRead(config.safe, route, place);
  const { idempotent = safe } = config;
  if (typeof idempotent !== 'boolean') {
    throw new CompositionError(
      place,
      `idempotent is ${shownValue(idempotent)}. Use true or false.`,
    );
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
  if (config.cache !== undefined && bodyKindOf(parts?.body ?? response).kind === 'bytes')
    throw new CompositionError(place, 'bytes are passed on, and never cached. Remove cache.');
  if (setsCookies(parts)) refuseSharing(config, place);
  const idempotencyKey = checkedKey(config.idempotencyKey, safe, place);
  const common = checkedCommon(service, config, declaration, { isWrite: !safe, query, headers });
  const sent = checkedHeaderArguments(headers, { ...common, idempotencyKey, place });
  refuseArgumentTwice({ route, query, body, headers: sent }, place);
  return noteDefinition(
    Object.freeze({
      ...common,
      ...(setsCookies(parts) && unshared(common)),
      route,
      idempotent,
      safe,
      idempotencyKey,
      slash: checkedSlash(config.slash, route, place),
      query: config.query,
      ...bodiesOf(body, { response, parts }),
      headers: sent,
      lookup: undefined,
      ...checkedMeanings(config, { response, parts }, place),
      problem: checkedProblem(config.problem, { method: route.method, place }),
    }),
  );
}

/** The schemas of bodies, and their kinds. */
function bodiesOf(
  body: z.ZodType | undefined,
  { response, parts }: CheckedResponse,
): Pick<Operation, 'body' | 'bodyKind' | 'response' | 'parts' | 'responseKind'> {
  const responseKind = bodyKindOf(parts?.body ?? response);
  return { body, bodyKind: bodyKindOf(body), response, parts, responseKind };
}

/** Whether an operation only reads: it has a safe method, or is declared `safe`. */
function isRead(safe: unknown, { method }: Route, place: string): boolean {
  if (safe === undefined || safe === true) return safe === true || isSafe(method);
  throw new CompositionError(
    place,
    `safe is ${shownValue(safe)}. Write safe: true for a read by POST; otherwise remove it, ` +
      'since the method says whether it reads.',
  );
}

interface OfMethod {
  readonly method: string;
  readonly place: string;
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

function checkedKey(key: 'derived' | undefined, safe: boolean, place: string) {
  if (key === undefined) return undefined;
  if (key !== 'derived')
    throw new CompositionError(place, `idempotencyKey is ${shownValue(key)}. Use "derived".`);
  if (!safe) return key;
  throw new CompositionError(place, 'a read needs no idempotencyKey. Remove it.');
}

/** Checks the options that give answers another meaning than their status has. */
function checkedMeanings(
  { missing = 'error', failure }: Meanings,
  { response, parts }: CheckedResponse,
  place: string,
): Pick<Operation, 'missing' | 'failure'> {
  if (missing === 'null' || missing === 'error')
    return { missing, failure: checkedFailure(failure, { body: parts?.body ?? response, place }) };
  throw new CompositionError(place, `missing is ${shownValue(missing)}. Use "null" or "error".`);
}

interface Meanings {
  readonly missing?: 'null' | 'error' | undefined;
  readonly failure?: FailureConfig<z.ZodType> | undefined;
}

function checkedSlash(
  slash: readonly string[] | undefined,
  { segments }: Route,
  place: string,
): readonly string[] {
  if (slash === undefined) return [];
  const names = segments.flatMap((segment) =>
    segment.kind === 'param' || segment.kind === 'mixed' ? [segment.name] : [],
  );
  const known = names.join(', ') || 'none';
  if (!Array.isArray(slash))
    throw new CompositionError(
      place,
      `slash is ${shownValue(slash)}. Use a list of path parameters. There are: ${known}.`,
    );
  const unknown = slash.find((name) => !names.includes(name));
  if (unknown === undefined) return Object.freeze([...slash]);
  const advice = 'A parameter ":name+" takes slashes by itself.';
  throw new CompositionError(
    place,
    `slash names "${unknown}", which is not a path parameter of one segment. ` +
      `There are: ${known}. ${advice}`,
  );
}
