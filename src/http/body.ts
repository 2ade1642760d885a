/** Reads a JSON body, bounded. */
import type { HonoRequest } from 'hono';
import type { Clock } from '../clock.ts';
import { charsetOf, isUtf8Charset } from '../charset.ts';
import { codingsOf } from '../content-coding.ts';
import { RequestError } from '../errors.ts';
import { isBlank, parseJson } from '../json.ts';
import { NotUtf8Error, utf8Text } from '../utf8.ts';

const largest = 1024 * 1024;

export interface BodyOptions {
  /** Whether the body may be missing, which gives `undefined`. Default `false`. */
  readonly optional?: boolean;
}

/**
 * Reads the body until `at`, on the clock's scale.
 *
 * @throws RequestError as `readJsonBody` does, or when the body has not arrived by then.
 */
export function readJsonBodyBefore(
  clock: Clock,
  at: number,
  request: HonoRequest,
  options?: BodyOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new RequestError('request-timeout', tooSlow));
    const cancelTimer = clock.after(Math.max(0, at - clock.now()), giveUp);
    readJsonBody(request, options).then(resolve, reject).finally(cancelTimer);
  });
}

const tooSlow = 'The body did not arrive in time.';

/**
 * Reads the body. White space is as good as no body, and an empty one needs no media type.
 *
 * @throws RequestError when the body is missing, larger than 1 MiB, or not JSON by type or content.
 */
export async function readJsonBody(
  request: HonoRequest,
  { optional = false }: BodyOptions = {},
): Promise<unknown> {
  if (!mayBeEmpty(request)) refuseMediaType(request);
  const bytes = await readBytes(request);
  if (bytes.length > 0) refuseMediaType(request);
  try {
    const text = utf8Text(bytes);
    if (isBlank(text)) return optional ? undefined : refuse('missing', missing);
    return parseJson(text);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    const isKnown = error instanceof SyntaxError || error instanceof NotUtf8Error;
    return refuse('not JSON', isKnown ? error.message : 'cannot be parsed');
  }
}

const missing = 'is missing: send JSON with Content-Type: application/json';

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

function refuseMediaType(request: HonoRequest): void {
  if (!isJson(request.header('content-type') ?? '')) {
    throw new RequestError(
      'unsupported-media-type',
      'The body must be JSON in UTF-8: send Content-Type: application/json.',
    );
  }
  if (codingsOf(request.header('content-encoding')).length > 0) {
    throw new RequestError('unsupported-media-type', 'The body must not be compressed.');
  }
}

/** JSON is UTF-8 (RFC 8259, 8.1), so no other charset is accepted. */
function isJson(contentType: string): boolean {
  const isJsonType = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType.trimStart());
  return isJsonType && isUtf8Charset(charsetOf(contentType) ?? 'utf-8');
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
