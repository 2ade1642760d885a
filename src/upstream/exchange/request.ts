/** Makes the HTTP request of an attempt. */
import type { z } from 'zod';
import type { Clock } from '../../clock.ts';
import type { HeaderArguments } from '../../dsl/header-arguments.ts';
import { withKeys } from '../../dsl/lookup-keys.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import type { Method } from '../../dsl/route.ts';
import { headerValueProblem } from '../../header-value.ts';
import { isExactNumber } from '../../json-numbers.ts';
import { stringifyJson } from '../../json.ts';
import { NotJsonError, toJsonValue } from '../../json-value.ts';
import { mayTransform, parseBy } from '../../parse.ts';
import { requestTimeoutHeader, writeRequestTimeout } from '../../request-timeout.ts';
import { declaredPath } from '../../schema.ts';
import type { Dispatch } from '../call.ts';
import { callError, isShareable } from '../call.ts';
import { targetOf } from './target.ts';

export interface HttpRequest {
  readonly method: Method;
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

/** @throws UpstreamError of kind `invalid-argument` when the arguments do not fit the operation. */
export function toHttpRequest(
  call: Asking,
  clock: Clock,
  more?: Readonly<Record<string, string>>,
): HttpRequest {
  const target = targetWithQuery(call);
  const body = bodyOf(call);
  const { service, route, headers: declared } = call.operation;
  const headers: Record<string, string> = {
    accept: 'application/json',
    ...(body !== null && { 'content-type': 'application/json' }),
    [requestTimeoutHeader]: writeRequestTimeout(timeLeftMs(call, clock)),
    ...(declared && headerArguments(call, declared)),
    ...call.headers,
    ...more,
  };
  const id = call.caller?.requestId;
  if (id !== undefined && service.requestId !== undefined) headers[service.requestId] = id;
  return { method: route.method, target, headers, body };
}

/** Without a `caller`, no client has asked, as for a health check. */
export type Asking = Pick<Dispatch, 'operation' | 'args' | 'headers' | 'keys' | 'deadlineAt'> &
  Partial<Pick<Dispatch, 'caller'>>;

/** The path and query of a call. Throws like `toHttpRequest`. */
export function targetWithQuery(call: Targeted): string {
  const schema = call.operation.query;
  const query = schema ? parsed(call, schema, queryArguments(call), 'query') : {};
  return targetOf(call, query as Record<string, unknown>); // an object schema gives an object
}

type Targeted = Pick<Dispatch, 'operation' | 'args' | 'keys'>;

/**
 * The time left until the deadline of the request, but no more than one attempt may take. A write
 * has all of the latter, even if its request ends.
 */
function timeLeftMs({ operation, deadlineAt }: Asking, clock: Clock): number {
  if (!isShareable(operation)) return operation.policies.timeoutMs;
  return Math.min(deadlineAt - clock.now(), operation.policies.timeoutMs);
}

/** The arguments that neither path nor body use: a strict query schema would reject the others. */
function queryArguments({ operation, args }: Targeted): Record<string, unknown> {
  const elsewhere = new Set([...operation.route.params, ...(operation.lookup?.arguments ?? [])]);
  if (operation.body !== undefined) elsewhere.add('body');
  if (operation.headers !== undefined) elsewhere.add('headers');
  return Object.fromEntries(Object.entries(args).filter(([name]) => !elsewhere.has(name)));
}

/** The argument `headers` as text, and the constant ones. */
function headerArguments(
  call: Targeted,
  { schema, names, constants }: HeaderArguments,
): Readonly<Record<string, string>> {
  if (names.length === 0) return constants;
  const given = call.args['headers'];
  const wanted = { ...(given as object | null | undefined), ...constants }; // spreads anything
  const values = parsed(call, schema, wanted, 'headers') as Record<string, unknown>; // an object's
  const headers: Record<string, string> = { ...constants };
  for (const name of names) {
    const value = values[name];
    if (value !== undefined && value !== null) headers[name] = headerText(call, name, value);
  }
  return headers;
}

function headerText(call: Targeted, name: string, value: unknown): string {
  const isText =
    ['string', 'boolean'].includes(typeof value) || Number.isFinite(value) || isExactNumber(value);
  const text = String(isText ? value : '');
  const problem = isText ? headerValueProblem(text) : 'is not text';
  if (problem === undefined) return text;
  throw argumentError(call, `headers.${name}`, `argument "headers.${name}" ${problem}`, undefined);
}

/** The body as it is sent; `null`: none. Throws like `toHttpRequest`. */
export function bodyOf(call: Targeted): string | null {
  const { lookup } = call.operation;
  const value = argumentBody(call);
  if (lookup?.keys.kind === 'body' && call.keys !== undefined)
    return toJson(call, bodyWithKeys(call, lookup, { value, keys: call.keys }));
  return value === undefined ? null : toJson(call, value);
}

/** The argument `body` as its schema gives it. */
function argumentBody(call: Targeted): unknown {
  const { body } = call.operation;
  if (body === undefined) return undefined;
  const value = parsed(call, body, call.args['body'], 'body');
  return value !== undefined && mayTransform(body) ? carried(call, value) : value;
}

function bodyWithKeys(
  call: Targeted,
  lookup: Lookup,
  { value, keys }: { readonly value: unknown; readonly keys: readonly unknown[] },
): object {
  const body = withKeys(lookup, value, keys);
  if (body !== undefined) return body;
  const problem = `argument "body" has no room for the keys at "${lookup.keys.name}"`;
  throw argumentError(call, 'body', problem, undefined);
}

/** Refuses what a function of the schema made and JSON would change silently, as `NaN` to `null`. */
function carried(call: Targeted, value: unknown): unknown {
  try {
    return toJsonValue(value);
  } catch (cause) {
    const problem = cause instanceof NotJsonError ? cause.message : 'cannot be written as JSON';
    throw argumentError(call, 'body', `argument "body": ${problem}`, cause);
  }
}

function toJson(call: Targeted, value: unknown): string {
  try {
    return stringifyJson(value);
  } catch (cause) {
    throw argumentError(call, 'body', 'argument "body" cannot be written as JSON', cause);
  }
}

function parsed(
  call: Targeted,
  schema: z.ZodType,
  value: unknown,
  part: 'query' | 'body' | 'headers',
): unknown {
  const result = parseBy(schema, value);
  if (result.ok) return result.value;
  const [{ path, words }] = result.problems;
  const names = [...(part === 'query' ? [] : [part]), ...declaredPath(schema, path).map(String)];
  const problem = `argument "${names.join('.') || part}": ${words}`;
  const argument = part === 'headers' ? names.slice(0, 2).join('.') : (names[0] ?? part);
  throw argumentError(call, argument, problem, result.cause);
}

function argumentError(call: Targeted, argument: string, problem: string, cause: unknown): Error {
  return callError(call, 'invalid-argument', problem, {
    argument,
    ...(cause !== undefined && { cause }),
  });
}
