/** Raw reply → reply: any 2xx is a success; a body that does not fit the schema is an error. */
import type { z } from 'zod';
import type { BodyKind } from '../../dsl/body-kind.ts';
import { ignoredBody } from '../../dsl/ignored-body.ts';
import { failureStatusIn } from '../../dsl/failure-rule.ts';
import type { Operation } from '../../dsl/operation.ts';
import { seesAccepted } from '../../dsl/response-parts.ts';
import type { UpstreamError } from '../../errors.ts';
import { TooManyNumbersError } from '../../json-numbers.ts';
import { isBlank, isTooDeep, parseJson, toPointer } from '../../json.ts';
import { oncePerSchema } from '../../once-per-schema.ts';
import { parseBy, parseJsonBy, parseJsonFor } from '../../parse.ts';
import { declaredPath } from '../../schema.ts';
import { fieldOf } from '../../plain-object.ts';
import { noteAnswered } from '../../under-way.ts';
import type { Attempt, Call, Reply } from '../call.ts';
import { callError } from '../call.ts';
import { saysAbsent } from './absent.ts';
import { partsOf } from './answer-parts.ts';
import { readBody } from './bodies/read.ts';
import { textOf } from './bodies/text.ts';
import { decodeBody } from './decode-body.ts';
import { doubtOf } from './doubt.ts';
import { itemsOf } from './lookup-items.ts';
import { matchOf } from './match.ts';
import { fieldsIn, hasProblem } from './problem-fields.ts';
import { envelopedError, statusError } from './status-error.ts';
import type { RawReply } from './transport.ts';
import { refuseWithFields } from './validation-error.ts';
import type { Reading } from './validation-error.ts';

type Called = Pick<Call, 'operation'>;
type Asked = Pick<Attempt, 'operation' | 'args' | 'keys' | 'address'>;

/** 2xx that are no whole representation, although the request asked for no part and no changes. */
const partial: ReadonlyMap<number, string> = new Map([
  [206, 'a part (206) although no range was asked for'],
  [226, 'changes (226) although none were asked for'],
]);

/** For services that are sent nothing which their answers could repeat. */
export const noSecret: Reading['isSecret'] = () => false;

/** @throws UpstreamError of kind `status`, `invalid-body` or `too-large`. */
export function parseReply(
  call: Asked & Pick<Attempt, 'headers'>,
  raw: RawReply,
  now: number,
  isSecret: Reading['isSecret'] = noSecret,
): Reply | Promise<Reply> {
  const { status, headers, body } = raw;
  if (status < 200 || status > 299) {
    if (isMissing(call.operation, status)) return missingReply(raw, status);
    if (hasProblem(call, status)) return refuseWithFields(call, raw, { now, isSecret });
    throw statusError(call, raw, now);
  }
  if (bodySchemaOf(call.operation) === ignoredBody) return replyTo(call, raw, null);
  const part = partial.get(status);
  if (part !== undefined) throw callError(call, 'invalid-body', `answered with ${part}`);
  const decoding = decodeBody(call, body, headers['content-encoding']);
  const reading = { now, isSecret };
  if (decoding === undefined) return parsedReply(call, raw, reading);
  return decoding.then((decoded) => parsedReply(call, { ...raw, body: decoded }, reading));
}

/** The fields that a 2xx which counts as `said` calls wrong, if the operation declares them. */
function fieldsInside(
  call: Called,
  said: number,
  { body, isSecret }: Pick<Reading, 'isSecret'> & { readonly body: unknown },
): UpstreamError['fields'] | undefined {
  const { problem } = call.operation;
  return problem && hasProblem(call, said) ? fieldsIn(problem, body, isSecret) : undefined;
}

/** Whether a status says that there is no such thing, where that is a value. */
function isMissing({ missing }: Operation, status: number): boolean {
  return missing === 'null' && saysAbsent(status);
}

function missingReply({ headers }: Pick<RawReply, 'headers'>, status: number): Reply {
  return { status, headers, raw: null, value: null };
}

/** The schema of the body, which is the value or a part of it. */
function bodySchemaOf({ parts, response }: Operation): z.ZodType {
  return parts === undefined ? response : parts.body;
}

/** The reply of an operation that is no lookup. */
function replyTo(
  call: Asked,
  answer: Pick<RawReply, 'status' | 'headers' | 'target'>,
  body: unknown,
): Reply {
  const { status, headers, target } = answer;
  const { parts, response, cache } = call.operation;
  const raw = parts === undefined ? body : partsOf(parts, { status, headers, body, target }, call);
  const value = parseValue(call, response, raw, status);
  const own = { status, headers, raw: cache && raw, value };
  const reply = target === undefined ? own : { ...own, target };
  if (status !== 202 || headers['location'] === undefined || seesAccepted(parts)) return reply;
  return { ...reply, doubt: 'accepted' };
}

function parsedReply(
  call: Asked & Pick<Attempt, 'headers'>,
  raw: RawReply,
  reading: Reading,
): Reply {
  const { status, headers, body } = raw;
  const { lookup, responseKind } = call.operation;
  noteAnswered(call.operation);
  if (responseKind.kind !== 'json') return otherReply(call, raw, responseKind, reading);
  const text = body.length === 0 ? '' : textOf(call, headers, body);
  const value = isBlank(text) ? null : parseBody(call, text);
  const missing = failedInside(call, raw, value, reading);
  if (missing !== undefined) return missing;
  if (lookup === undefined) return replyTo(call, raw, isBlank(text) ? noBodyOf(call) : value);
  const items = itemsOf(call, lookup, value);
  const { keys = [] } = call;
  const match = matchOf(lookup, { keys, items, body: value });
  const count = Array.isArray(items) ? items.length : Object.keys(items).length;
  const doubt = doubtOf(lookup, { keys, match, count, body: value, headers });
  return { status, headers, raw: undefined, value: items, match, doubt };
}

/** The reply whose body is not JSON. An empty body may be one, unless the status says otherwise. */
function otherReply(
  call: Asked & Pick<Attempt, 'headers'>,
  raw: RawReply,
  kind: Exclude<BodyKind, { kind: 'json' }>,
  reading: Reading,
): Reply {
  if (raw.status === 204 || raw.status === 205) return replyTo(call, raw, noBodyOf(call));
  const value = readBody(call, raw, kind, bodySchemaOf(call.operation));
  return failedInside(call, raw, value, reading) ?? replyTo(call, raw, value);
}

/** Throws the failure inside a 2xx, unless it says that there is no such thing. */
function failedInside(
  call: Asked & Pick<Attempt, 'headers'>,
  { status, headers }: RawReply,
  value: unknown,
  { now, isSecret }: Reading,
): Reply | undefined {
  const { failure, numbers } = call.operation;
  const said = failure && failureStatusIn(failure, value, numbers);
  if (said === undefined) return undefined;
  if (isMissing(call.operation, said)) return missingReply({ headers }, said);
  const fields = fieldsInside(call, said, { body: value, isSecret });
  throw envelopedError(call, { status, headers, said, fields }, now);
}

/** The value of an answer without a body. */
function noBodyOf({ operation }: Called): null | undefined {
  return isUndefinedWithoutBody(bodySchemaOf(operation)) ? undefined : null;
}

/**
 * Parses `value` by `schema`. The error gives a JSON Pointer into the body and the problem in words
 * of the schema only: it goes to traces and logs, which must not contain values from a body.
 */
export function parseValue(
  call: Called,
  schema: z.ZodType,
  value: unknown,
  status: number,
): unknown {
  const result = parseJsonBy(schema, value, call.operation.numbers);
  if (result.ok) return result.value;
  const [problem] = result.problems;
  const path = declaredPath(schema, problem.path);
  const { parts } = call.operation;
  const where = parts === undefined ? placeInBody(path) : placeInParts(path);
  const hasNoBody = (parts === undefined ? value : fieldOf(value, 'body')) === null;
  const advice =
    hasNoBody && where === wholeBody
      ? ' (the answer had no body; make the schema nullable if that is intended)'
      : '';
  throw callError(
    call,
    'invalid-body',
    `answered ${status}, but ${where} does not fit the schema: ${problem.words}${advice}`,
    { reached: 'body', ...(result.cause !== undefined && { cause: result.cause }) },
  );
}

const wholeBody = 'its body';

function placeInBody(path: readonly PropertyKey[]): string {
  return path.length === 0 ? wholeBody : `${toPointer(path)} in its body`;
}

/** Where a misfit is in an answer whose parts are the value. */
function placeInParts([part, ...path]: readonly PropertyKey[]): string {
  if (part === 'headers') return `header "${String(path[0])}"`;
  return part === 'status' ? 'its status' : placeInBody(path);
}

/** Whether an answer without a body can only be `undefined`, where it would else be `null`. */
const isUndefinedWithoutBody = oncePerSchema(
  (schema) => !parseBy(schema, null).ok && parseBy(schema, undefined).ok,
);

function parseBody(call: Called, text: string): unknown {
  const { cache, failure, lookup, policies } = call.operation;
  const schema = bodySchemaOf(call.operation);
  const { maxDepth } = policies;
  try {
    // Caches keep the whole body, and `failure` and `errors` read other fields than the schema.
    const reads = cache ?? failure ?? lookup?.errors;
    return reads === undefined ? parseJsonFor(schema, text, maxDepth) : parseJson(text, maxDepth);
  } catch (error) {
    // No cause: the message of V8's error quotes the body.
    throw callError(call, 'invalid-body', `answered ${jsonProblem(error, maxDepth)}`);
  }
}

function jsonProblem(error: unknown, maxDepth: number): string {
  if (isTooDeep(error)) return `JSON that is nested deeper than ${maxDepth} levels (maxDepth)`;
  return error instanceof TooManyNumbersError
    ? error.message.replace('has', 'with')
    : 'something that is not JSON';
}
