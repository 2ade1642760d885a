/** Makes the HTTP request of an attempt. */
import type { z } from 'zod';
import type { Clock } from '../../clock.ts';
import type { HeaderArguments } from '../../dsl/header-arguments.ts';
import { withKeys } from '../../dsl/lookup-keys.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import type { Operation } from '../../dsl/operation.ts';
import type { Method } from '../../dsl/route.ts';
import { headerValueProblem } from '../../header-value.ts';
import { isExactNumber } from '../../exact-number.ts';
import { parseBy } from '../../parse.ts';
import { requestTimeoutHeader, writeRequestTimeout } from '../../request-timeout.ts';
import { declaredPath } from '../../schema.ts';
import type { Dispatch } from '../call.ts';
import { callError, isShareable } from '../call.ts';
import { checkedJson, writeBody } from './bodies/write.ts';
import type { WrittenBody } from './bodies/write.ts';
import { argumentError } from './query.ts';
import { targetOf } from './target.ts';

export interface HttpRequest {
  readonly method: Method;
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer | null;
}

/** @throws UpstreamError of kind `invalid-argument` when the arguments do not fit the operation. */
export function toHttpRequest(
  call: Asking,
  clock: Clock,
  more?: Readonly<Record<string, string>>,
): HttpRequest {
  const target = targetWithQuery(call);
  const body = bodyOf(call);
  const { service, route, headers: declared, responseKind } = call.operation;
  const headers: Record<string, string> = {
    accept: responseKind.accept,
    ...(body && { 'content-type': body.type }),
    [requestTimeoutHeader]: writeRequestTimeout(timeLeftMs(call, clock)),
    ...(declared && headerArguments(call, declared)),
    ...call.headers,
    ...more,
  };
  const id = call.caller?.requestId;
  if (id !== undefined && service.requestId !== undefined) headers[service.requestId] = id;
  return { method: route.method, target, headers, body: body?.content ?? null };
}

/** Without a `caller`, no client has asked, as for a health check. */
export type Asking = Pick<Dispatch, 'operation' | 'args' | 'headers' | 'keys' | 'deadlineAt'> &
  Partial<Pick<Dispatch, 'caller' | 'givenTarget'>>;

/** The path and query of a call. Throws like `toHttpRequest`. */
export function targetWithQuery(call: Targeted): string {
  if (call.givenTarget !== undefined) return call.givenTarget;
  const schema = call.operation.query;
  const query = schema ? parsed(call, schema, queryArguments(call), 'query') : {};
  return targetOf(call, query as Record<string, unknown>); // an object schema gives an object
}

type Targeted = Pick<Dispatch, 'operation' | 'args' | 'keys'> &
  Partial<Pick<Dispatch, 'givenTarget'>>;

/**
 * The time left until the deadline of the request, but no more than one attempt may take. A write
 * has all of the latter, even if its request ends.
 */
function timeLeftMs({ operation, deadlineAt }: Asking, clock: Clock): number {
  if (!isShareable(operation)) return operation.policies.timeoutMs;
  return Math.min(deadlineAt - clock.now(), operation.policies.timeoutMs);
}

/** The arguments that nothing else uses: a strict query schema would reject the others. */
function queryArguments({ operation, args }: Targeted): Record<string, unknown> {
  const elsewhere = elsewhereOf(operation);
  const query: Record<string, unknown> = {};
  for (const name in args) if (!elsewhere.has(name)) query[name] = args[name];
  return query;
}

const knownElsewhere = new WeakMap<Operation, ReadonlySet<string>>();

/** The names of the arguments that path, body and headers use. */
function elsewhereOf(operation: Operation): ReadonlySet<string> {
  const known = knownElsewhere.get(operation);
  if (known !== undefined) return known;
  const names = new Set([...operation.route.params, ...(operation.lookup?.arguments ?? [])]);
  if (operation.body !== undefined) names.add('body');
  if (operation.headers !== undefined) names.add('headers');
  knownElsewhere.set(operation, names);
  return names;
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
  throw argumentError(call, `headers.${name}`, problem);
}

/** The body as it is sent; `undefined`: none. Throws like `toHttpRequest`. */
export function bodyOf(call: Targeted): WrittenBody | undefined {
  const { body, lookup } = call.operation;
  const value = body && parsed(call, body, call.args['body'], 'body');
  if (lookup?.keys.kind === 'body' && call.keys !== undefined)
    return writeBody(call, bodyWithKeys(call, lookup, { value, keys: call.keys }));
  return value === undefined ? undefined : writeBody(call, value);
}

function bodyWithKeys(
  call: Targeted,
  lookup: Lookup,
  { value, keys }: { readonly value: unknown; readonly keys: readonly unknown[] },
): object {
  const body = withKeys(lookup, value && checkedJson(call, value), keys);
  if (body !== undefined) return body;
  throw argumentError(call, 'body', `has no room for the keys at "${lookup.keys.name}"`);
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
  const { cause } = result;
  throw callError(call, 'invalid-argument', problem, {
    argument,
    ...(cause !== undefined && { cause }),
  });
}
