/** Requests that Node's parser refuses: they get a problem as any other, written by hand. */
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { RequestError } from '../errors.ts';
import type { Bindings } from './request-record.ts';

/** Answers a request that could not be read with what the app makes of `error`. */
export type AnswerUnparsed = (request: Request, bindings: Bindings) => Promise<Response>;

export interface UnparsedOptions {
  readonly answer: AnswerUnparsed;
  /** Runs `then` when the connection's earlier requests are answered. */
  readonly whenAnswered: (socket: Socket, then: () => void) => void;
  /** Refuses a request over HTTP/2, whose connection stays usable. */
  readonly refuse: (incoming: IncomingMessage, outgoing: ServerResponse, why: RequestError) => void;
  readonly onInternalError: (error: unknown) => void;
}

/**
 * How long the rest of what the client sends is read and dropped: closing a connection with unread
 * bytes resets it, and the reset may overtake the answer.
 */
const lingerMs = 500;

/** Answers what the parser refuses, and CONNECT, and closes the connection. */
export function answerUnparsed(server: Server, options: UnparsedOptions): void {
  const { answer, whenAnswered, onInternalError } = options;
  const refused = new WeakSet<Socket>();

  function refuse(error: RequestError, socket: Socket): void {
    // The parser goes on to complain about the rest of what it does not understand.
    if (refused.has(socket)) return;
    refused.add(socket);
    whenAnswered(socket, () => void tryToWrite(error, socket));
  }

  async function tryToWrite(error: RequestError, socket: Socket): Promise<void> {
    try {
      await write(error, socket);
    } catch (failure) {
      onInternalError(failure);
      socket.destroy();
    }
  }

  async function write(unreadable: RequestError, socket: Socket): Promise<void> {
    if (!socket.writable) return;
    const peer = socket.remoteAddress ?? '';
    // OpenTelemetry's name for a method that is not known.
    const url = socket instanceof TLSSocket ? 'https://none/' : 'http://none/';
    const request = new Request(url, { method: '_OTHER' });
    const response = await answer(request, { unreadable, peer });
    socket.end(await toBytes(response));
    socket.resume();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  }

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const request = (socket as SocketOfParser).parser?.incoming ?? undefined;
    const refusal = refusalOf(error);
    // Neither a broken connection nor one that nothing was ever sent on gets an answer.
    if (refusal === undefined || socket.bytesRead === 0) socket.destroy(error);
    else if (request === undefined || request.complete) refuse(refusal, socket);
    else {
      breakOff(request, refusal);
      whenAnswered(socket, () => socket.destroySoon());
    }
  });
  server.on('connect', (incoming: IncomingMessage, other: Socket | ServerResponse) => {
    const error = new RequestError('method-not-allowed', 'CONNECT is not served.');
    if (other instanceof Socket) refuse(error, other);
    else options.refuse(incoming, other, error);
  });
}

/** The part of Node's HTTP sockets that tells which request has failed. */
interface SocketOfParser extends Socket {
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
}

/** Fails the body of a request that is being served, as soon as it is read: its answer says so. */
function breakOff(request: IncomingMessage, error: RequestError): void {
  const fail = (): boolean => request.emit('error', error);
  if (request.listenerCount('error') > 0) fail();
  else
    request.on('newListener', function failReader(event) {
      if (event !== 'error') return;
      request.off('newListener', failReader);
      // The listener is added after this event.
      queueMicrotask(fail);
    });
}

/** `undefined`: not the parser's, but the connection's error. */
function refusalOf({ code = '' }: NodeJS.ErrnoException): RequestError | undefined {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new RequestError('headers-too-large', 'The header fields are too large.');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new RequestError('body-too-large', 'The chunk extensions are too large.');
    case 'HPE_INVALID_VERSION':
    case 'HPE_PAUSED_H2_UPGRADE':
      return new RequestError('version-not-supported', 'Use HTTP/1.1.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RequestError('request-timeout', 'The request did not arrive in time.');
    default:
      return code.startsWith('HPE_')
        ? new RequestError('ambiguous-request', 'The request is not HTTP/1.1 (RFC 9112).')
        : undefined;
  }
}

async function toBytes(response: Response): Promise<string> {
  const date = new Date().toUTCString();
  const fields = { ...Object.fromEntries(response.headers), date, connection: 'close' };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}\r\n`;
  return `${status}${lines.join('')}\r\n${await response.text()}`;
}
