/** Raw reply → reply: any 2xx is a success; a body that does not fit the schema is an error. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import type { z } from 'zod';
import { ignoredBody } from '../../dsl/ignored-body.ts';
import { TooManyNumbersError } from '../../json-numbers.ts';
import { isTooDeep, parseJson, toPointer } from '../../json.ts';
import { parseJsonBy, parseJsonFor } from '../../parse.ts';
import { declaredPath } from '../../schema.ts';
import { NotUtf8Error } from '../../utf8.ts';
import { fieldOf } from '../../plain-object.ts';
import type { Call, Dispatch, Reply } from '../call.ts';
import { callError } from '../call.ts';
import { CharsetError, decodeText } from './decode-text.ts';
import { matchOf } from './doubt.ts';
import { statusError } from './status-error.ts';
import type { RawReply } from './transport.ts';

type Called = Pick<Call, 'operation'>;

const decoders = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** @throws UpstreamError of kind `status`, `invalid-body` or `too-large`. */
export function parseReply(
  call: Pick<Dispatch, 'operation' | 'headers' | 'keys'>,
  raw: RawReply,
  now: number,
): Reply | Promise<Reply> {
  const { status, headers, body } = raw;
  if (status < 200 || status > 299) throw statusError(call, raw, now);
  if (call.operation.response === ignoredBody) return { status, headers, raw: null, value: null };
  const encoding = headers['content-encoding'];
  if (encoding === undefined) return parsedReply(call, raw);
  return decode(call, body, String(encoding)).then((decoded) =>
    parsedReply(call, { ...raw, body: decoded }),
  );
}

function parsedReply(
  call: Pick<Dispatch, 'operation' | 'keys'>,
  { status, headers, body }: RawReply,
): Reply {
  const value = body.length === 0 ? null : parseBody(call, textOf(call, headers, body));
  const { lookup, response } = call.operation;
  if (lookup === undefined) {
    const raw = call.operation.cache && value;
    return { status, headers, raw, value: parseValue(call, response, value, status) };
  }
  // An answer without a body, like a 204, has no items.
  const items = body.length === 0 ? [] : itemsOf(call, value, lookup.items);
  const { keys = [] } = call;
  const match = matchOf(lookup, { keys, items, body: value, status, headers });
  return { status, headers, raw: undefined, value: items, ...match };
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
  const pointer = toPointer(declaredPath(schema, problem.path));
  const where = pointer === '' ? 'its body' : `${pointer} in its body`;
  const advice =
    value === null && pointer === ''
      ? ' (the answer had no body; make the schema nullable if that is intended)'
      : '';
  throw callError(
    call,
    'invalid-body',
    `answered ${status}, but ${where} does not fit the schema: ${problem.words}${advice}`,
    { reached: 'body', ...(result.cause !== undefined && { cause: result.cause }) },
  );
}

function textOf(call: Called, headers: RawReply['headers'], body: Buffer): string {
  try {
    return decodeText(body, headers['content-type']?.toString());
  } catch (error) {
    if (!(error instanceof NotUtf8Error) && !(error instanceof CharsetError)) throw error;
    throw callError(call, 'invalid-body', `its body ${error.message}`, { reached: 'body' });
  }
}

function parseBody(call: Called, text: string): unknown {
  const { response, cache, policies } = call.operation;
  const { maxDepth } = policies;
  try {
    // A cache keeps the whole body, not only the fields that the schema reads.
    return cache === undefined ? parseJsonFor(response, text, maxDepth) : parseJson(text, maxDepth);
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

async function decode(call: Called, body: Buffer, encoding: string): Promise<Buffer> {
  const name = encoding.trim().toLowerCase();
  if (name === 'identity' || body.length === 0) return body;
  if (!isKnownEncoding(name)) {
    throw callError(call, 'invalid-body', 'answered in a content encoding that is not supported');
  }
  const { maxBodyBytes } = call.operation.policies;
  try {
    return await decoders[name](body, { maxOutputLength: maxBodyBytes });
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    const message = tooLarge
      ? `decompresses to more than ${maxBodyBytes} bytes`
      : `is not valid ${name}`;
    throw callError(call, tooLarge ? 'too-large' : 'invalid-body', `its body ${message}`, {
      cause: error,
    });
  }
}

function isKnownEncoding(name: string): name is keyof typeof decoders {
  return Object.hasOwn(decoders, name);
}

function itemsOf(call: Called, value: unknown, property: string | undefined): readonly unknown[] {
  const list = property === undefined ? value : fieldOf(value, property);
  if (Array.isArray(list)) return list;
  const where = property === undefined ? 'its body' : `/${property} in its body`;
  throw callError(call, 'invalid-body', `answered a lookup, but ${where} is not a list`, {
    reached: 'body',
  });
}
