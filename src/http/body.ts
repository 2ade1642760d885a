/** Reads a body of a client's request, bounded: JSON, a form or a text. */
import type { HonoRequest } from 'hono';
import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import { charsetOf, isUtf8Charset } from '../charset.ts';
import { codingsOf } from '../content-coding.ts';
import { bodyKindOf } from '../dsl/body-kind.ts';
import type { BodyKindName } from '../dsl/body-kind.ts';
import { RequestError } from '../errors.ts';
import { NotFormError, parseForm } from '../form.ts';
import { isBlank, parseJson } from '../json.ts';
import { saysOptional } from '../schema.ts';
import { NotUtf8Error, utf8Text, withoutByteOrderMark } from '../utf8.ts';

const largest = 1024 * 1024;

/** Reads the body of a request until `at`, on the clock's scale. */
export type ReadBody = (request: HonoRequest, at: number) => Promise<unknown>;

/**
 * Reads bodies of the kind that `schema` notes. Without a body, the value is `undefined` if the
 * schema says that it may be missing.
 *
 * @throws RequestError when the body is missing, larger than 1 MiB, not of that kind by its type
 * or content, or has not arrived in time.
 */
export function bodyReader(schema: z.ZodType, clock: Clock): ReadBody {
  const format = formatOf(schema);
  const optional = saysOptional(schema);
  return function readBody(request, at) {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => reject(new RequestError('request-timeout', tooSlow));
      const cancelTimer = clock.after(Math.max(0, at - clock.now()), giveUp);
      read(request, format, optional).then(resolve, reject).finally(cancelTimer);
    });
  };
}

const tooSlow = 'The body did not arrive in time.';

/** @throws RequestError as a `bodyReader` does. */
export function readJsonBody(request: HonoRequest): Promise<unknown> {
  return read(request, json, false);
}

/** A kind of body that a client may send. */
interface Format {
  /** In the words of a problem: `JSON`. */
  readonly name: string;
  readonly type: string;
  readonly hasType: (mediaType: string) => boolean;
  /** Whether a text says as little as no body. */
  readonly isNothing: (text: string) => boolean;
  readonly parse: (text: string) => unknown;
}

const json: Format = {
  name: 'JSON',
  type: 'application/json',
  hasType: (type) => /^application\/(?:[\w.+-]+\+)?json$/.test(type),
  // White space is as good as no body.
  isNothing: isBlank,
  parse: parseJson,
};

function formatOf(schema: z.ZodType): Format {
  return formats[bodyKindOf(schema).kind]?.(schema) ?? json;
}

const formats: Readonly<Partial<Record<BodyKindName, (schema: z.ZodType) => Format>>> = {
  form: (schema) => ({
    ...plain('a form', 'application/x-www-form-urlencoded'),
    parse: (text) => parseForm(schema, text),
  }),
  text: () => ({ ...plain('text', 'text/plain'), parse: (text) => text }),
};

/** The parts that formats without white space of their own have in common. */
function plain(name: string, type: string): Omit<Format, 'parse'> {
  return {
    name,
    type,
    hasType: (given) => given === type,
    isNothing: (text) => text === '',
  };
}

/** An empty body needs no media type. */
async function read(request: HonoRequest, format: Format, optional: boolean): Promise<unknown> {
  if (!mayBeEmpty(request)) refuseMediaType(request, format);
  const bytes = await readBytes(request);
  if (bytes.length > 0) refuseMediaType(request, format);
  try {
    const text = withoutByteOrderMark(utf8Text(bytes));
    if (format.isNothing(text)) return optional ? undefined : refuse('missing', missing(format));
    return format.parse(text);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    const isKnown =
      error instanceof SyntaxError ||
      error instanceof NotUtf8Error ||
      error instanceof NotFormError;
    return refuse(`not ${format.name}`, isKnown ? error.message : 'cannot be parsed');
  }
}

function missing({ name, type }: Format): string {
  return `is missing: send ${name} with Content-Type: ${type}`;
}

function refuse(problem: string, detail: string): never {
  throw new RequestError('invalid-request', `The body is ${problem}.`, [
    { in: 'body', pointer: '', detail },
  ]);
}

/** Whether only reading the body tells if there is one. */
function mayBeEmpty(request: HonoRequest): boolean {
  const length = request.header('content-length');
  if (length !== undefined) return Number(length) === 0;
  const isChunked = request.header('transfer-encoding') !== undefined;
  return !isChunked || request.header('content-type') === undefined;
}

function refuseMediaType(request: HonoRequest, { name, type, hasType }: Format): void {
  const given = request.header('content-type') ?? '';
  const essence = given.split(';', 1)[0] ?? '';
  // No other charset than UTF-8 is accepted (for JSON: RFC 8259, 8.1).
  if (!hasType(essence.trim().toLowerCase()) || !isUtf8Charset(charsetOf(given) ?? 'utf-8')) {
    throw new RequestError(
      'unsupported-media-type',
      `The body must be ${name} in UTF-8: send Content-Type: ${type}.`,
    );
  }
  if (codingsOf(request.header('content-encoding')).length > 0) {
    throw new RequestError('unsupported-media-type', 'The body must not be compressed.');
  }
}

async function readBytes(request: HonoRequest): Promise<Buffer> {
  const length = request.header('content-length');
  if (Number(length ?? 0) > largest) throw tooLarge();
  try {
    // Node's parser enforces the declared length, so reading all of it is bounded.
    if (length !== undefined) return Buffer.from(await request.arrayBuffer());
    return await readChunks(request.raw.body);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError('invalid-request', 'The body ended before it was complete.');
  }
}

async function readChunks(body: ReadableStream<Uint8Array> | null): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  if (body === null) return Buffer.concat(chunks);
  let left = largest;
  // Cancelling would close the connection before the client has read the 413.
  for await (const chunk of body.values({ preventCancel: true })) {
    left -= chunk.byteLength;
    if (left < 0) break;
    chunks.push(chunk);
  }
  if (left >= 0) return Buffer.concat(chunks);
  discard(body);
  throw tooLarge();
}

/**
 * Drains the body without keeping it; the adapter limits how long, once the response is written.
 */
function discard(body: ReadableStream<Uint8Array>): void {
  body.pipeTo(new WritableStream()).catch(() => undefined);
}

function tooLarge(): RequestError {
  return new RequestError('body-too-large', `The body is larger than ${largest} bytes.`);
}
