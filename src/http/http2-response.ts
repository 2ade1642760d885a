/** Answers over HTTP/2: written in pieces, so that it shows whether the client reads them. */
import { Http2ServerResponse, constants } from 'node:http2';
import { validateHeaderValue } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { withAdded } from './added-headers.ts';

export interface Http2ResponseOptions {
  readonly isDraining: () => boolean;
  /** How long a client may read nothing of an answer, in milliseconds. */
  readonly writeTimeoutMs: number;
  readonly onInternalError: (error: unknown) => void;
}

/** Node reports that a write is done when its last byte has left: a piece is a sign of progress. */
const pieceBytes = 64 * 1024;

type OnWritten = (error?: Error | null) => void;

/**
 * Node's response to a request over HTTP/2, which announces the end of its connection while the
 * server drains, and cancels its stream when the client reads nothing of it.
 */
export function http2ResponseClass(options: Http2ResponseOptions): typeof Http2ServerResponse {
  const { isDraining, writeTimeoutMs, onInternalError } = options;

  class GatewayHttp2Response extends Http2ServerResponse {
    #unread = 0;
    #timer: NodeJS.Timeout | undefined;
    #isEnding = false;

    override writeHead(status: number, ...head: unknown[]): this {
      // GOAWAY says which requests were not taken: the client sends them over another connection.
      if (isDraining()) this.stream.session?.close();
      try {
        return super.writeHead(status, forHttp2(withAdded(this, head).at(-1)));
      } catch (error) {
        // The adapter would send the error's message to the client.
        onInternalError(error);
        this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
        return this;
      }
    }

    override write(chunk: string | Uint8Array, ...rest: unknown[]): boolean {
      const then = rest.find((one): one is OnWritten => typeof one === 'function');
      const encoding = typeof rest[0] === 'string' ? (rest[0] as BufferEncoding) : 'utf8';
      this.#beginWrite();
      return super.write(chunk, encoding, (error?: Error | null) => {
        this.#endWrite();
        then?.(error);
      });
    }

    override end(...given: unknown[]): this {
      this.#expectEnd();
      const [body] = given;
      const isBody = typeof body === 'string' || body instanceof Uint8Array;
      if (isBody && Buffer.byteLength(body) > pieceBytes)
        this.#endInPieces(typeof body === 'string' ? Buffer.from(body) : body);
      // Passed on as given, in any of its forms.
      else super.end(...(given as Parameters<Http2ServerResponse['end']>));
      return this;
    }

    /**
     * The adapter destroys what it has just ended, if the body of the request was not read: here, the
     * client is told to send no more of it (RFC 9113, 8.1), after the whole answer.
     */
    override destroy(error?: Error): this {
      const { stream } = this;
      if (error !== undefined || !this.#isEnding) return super.destroy(error);
      const close = (): void => stream.close(constants.NGHTTP2_NO_ERROR);
      if (stream.writableFinished) close();
      else stream.once('finish', close);
      return this;
    }

    #endInPieces(bytes: Uint8Array): void {
      if (bytes.length <= pieceBytes) return void super.end(bytes);
      this.write(bytes.subarray(0, pieceBytes), (error?: Error | null) => {
        if (!error) this.#endInPieces(bytes.subarray(pieceBytes));
      });
    }

    /** The end, too, has to be read: it may be all that is left. */
    #expectEnd(): void {
      if (this.#isEnding) return;
      this.#isEnding = true;
      this.#beginWrite();
      this.once('close', () => this.#stopTimer());
    }

    #beginWrite(): void {
      this.#unread += 1;
      this.#timer ??= setTimeout(() => this.#giveUp(), writeTimeoutMs);
    }

    #giveUp(): void {
      this.stream.close(constants.NGHTTP2_CANCEL);
      // Without it, the stream would last until the client reads of its end.
      this.stream.destroy();
    }

    #endWrite(): void {
      this.#unread -= 1;
      if (this.#unread === 0) this.#stopTimer();
      else this.#timer?.refresh();
    }

    #stopTimer(): void {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }
  return GatewayHttp2Response as typeof Http2ServerResponse; // Node constructs it
}

/** Fields of one connection of HTTP/1.1, in lower case (RFC 9113, 8.2.2). */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Leaves out what HTTP/2 does not have: layers and middleware need not know how a request came.
 *
 * @throws as `http.ServerResponse` does for values that cannot be sent: nghttp2 would leave them out.
 */
function forHttp2(given: unknown): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(Object(given) as OutgoingHttpHeaders)) {
    if (ofConnection.has(name.toLowerCase())) continue;
    validateHeaderValue(name, String(value));
    fields[name] = value;
  }
  return fields;
}
