/** The real upstream: asks it on a connection of its own, and writes down its answer as HTTP again. */
import { request as httpRequest, STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { headerOf } from './request.ts';
import type { Request } from './request.ts';

export interface Reply {
  /** The head and the body in the framing that the upstream chose. */
  readonly pieces: AsyncIterable<Buffer>;
  /** Only the end of the connection ends the answer, or the upstream said that it will close it. */
  readonly closes: boolean;
  /** The body as one, and a head for it that says `connection: keep-alive` and this Content-Length. */
  whole(): Promise<Whole>;
}

export interface Whole {
  readonly body: Buffer;
  head(contentLength?: number): Buffer;
}

export async function askUpstream(url: URL, asked: Request, signal: AbortSignal): Promise<Reply> {
  const incoming = await send(url, asked, signal);
  const { rawHeaders, statusCode: status = 0, statusMessage } = incoming;
  const isChunked = headerOf(rawHeaders, 'transfer-encoding') !== undefined;
  const hasBody = asked.method !== 'HEAD' && status !== 204 && status !== 304;
  const isDelimited = isChunked || headerOf(rawHeaders, 'content-length') !== undefined;
  const isLast = headerOf(rawHeaders, 'connection')?.toLowerCase() === 'close';

  async function* pieces() {
    yield toHead(status, rawHeaders, statusMessage);
    for await (const chunk of incoming) yield isChunked ? toChunk(chunk) : chunk;
    if (isChunked && hasBody) yield toChunk(Buffer.alloc(0));
  }

  async function whole(): Promise<Whole> {
    const body = await buffer(incoming);
    const headers = withoutFraming(rawHeaders);
    const head = (contentLength = body.length) =>
      toHead(
        status,
        [...headers, 'connection', 'keep-alive', 'content-length', String(contentLength)],
        statusMessage,
      );
    return { body, head };
  }

  return { pieces: pieces(), closes: isLast || (hasBody && !isDelimited), whole };
}

function send(url: URL, asked: Request, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = httpRequest({
    host: url.hostname,
    port: url.port,
    method: asked.method,
    path: asked.target,
    headers: keepingAlive(asked.headers),
    setHost: false,
    agent: false,
    signal,
  });
  outgoing.once('response', resolve);
  outgoing.on('error', reject);
  outgoing.end(asked.body);
  return promise;
}

/** Without a word on it HTTP/1.1 keeps a connection; node would ask the upstream to close it. */
function keepingAlive(headers: readonly string[]): readonly string[] {
  const isSaid = headerOf(headers, 'connection') !== undefined;
  return isSaid ? headers : [...headers, 'connection', 'keep-alive'];
}

/** `headers` are names and values in turn. */
export function toHead(
  status: number,
  headers: readonly string[],
  message = STATUS_CODES[status] ?? '',
): Buffer {
  const lines = [`HTTP/1.1 ${status} ${message}`];
  for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  return Buffer.from([...lines, '', ''].join('\r\n'), 'latin1');
}

/** The chunk without bytes ends the body. */
export function toChunk(bytes: Buffer): Buffer {
  const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
  return Buffer.concat([size, bytes, Buffer.from('\r\n')]);
}

const framing = new Set(['connection', 'keep-alive', 'content-length', 'transfer-encoding']);

function withoutFraming(headers: readonly string[]): string[] {
  const isFraming = (at: number) => framing.has(headers[at - (at % 2)]?.toLowerCase() ?? '');
  return headers.filter((_, at) => !isFraming(at));
}
