/** Connections that speak HTTP/2: how long they idle, and how they end without losing a request. */
import type { Http2SecureServer, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface Sessions {
  /** Ends every connection from now on when its requests are answered. */
  endWhenIdle(): void;
  /** Ends those that have never sent a request, and those that have not agreed on a protocol yet. */
  endUnused(): void;
  /** The number of requests that are not answered to their end. */
  requests(): number;
}

export interface SessionTimes {
  /** How long a connection without a request is kept, in milliseconds. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may take to read what is left for it, in milliseconds. */
  readonly writeTimeoutMs: number;
}

/** How long the client may take to close its side, in milliseconds. */
const lingerMs = 500;

/** Follows the connections of `server` that have agreed on HTTP/2. */
export function followSessions(server: Http2SecureServer, times: SessionTimes): Sessions {
  const sessions = new Set<Session>();
  const handshakes = followHandshakes(server);
  let isEnding = false;
  let connecting: TLSSocket | undefined;
  const { keepAliveTimeoutMs, writeTimeoutMs } = times;
  const current = (): SessionTimes => ({
    keepAliveTimeoutMs: isEnding ? lingerMs : keepAliveTimeoutMs,
    writeTimeoutMs,
  });

  // Node makes the session of a connection in its own listener, which comes next.
  server.prependListener('secureConnection', (socket: TLSSocket) => void (connecting = socket));
  server.on('session', (http2: ServerHttp2Session) => {
    const session = new Session(http2, connecting, current);
    sessions.add(session);
    http2.once('close', () => sessions.delete(session));
  });

  return {
    endWhenIdle() {
      isEnding = true;
      for (const session of sessions) if (session.isUsed) session.end();
    },
    endUnused() {
      for (const session of sessions) if (!session.isUsed) session.end();
      for (const socket of handshakes.values()) socket.destroy();
    },
    requests: () => [...sessions].reduce((sum, session) => sum + session.requests, 0),
  };
}

/** Connections whose handshake is under way, by what Node tells of them before and after it. */
function followHandshakes(server: Http2SecureServer): ReadonlyMap<string, Socket> {
  const underWay = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const other = otherEnd(socket);
    underWay.set(other, socket);
    socket.once('close', () => underWay.delete(other));
  });
  server.on('secureConnection', (socket: TLSSocket) => void underWay.delete(otherEnd(socket)));
  return underWay;
}

function otherEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

class Session {
  readonly #http2: ServerHttp2Session;
  readonly #socket: TLSSocket | undefined;
  readonly #times: () => SessionTimes;
  #streams = 0;
  #timer: NodeJS.Timeout | undefined;
  #isUsed = false;

  constructor(http2: ServerHttp2Session, socket: TLSSocket | undefined, times: () => SessionTimes) {
    this.#http2 = http2;
    this.#socket = socket;
    this.#times = times;
    // Node would end it while a service takes its time.
    http2.setTimeout(0);
    http2.on('stream', (stream) => {
      this.#begin();
      stream.once('close', () => this.#release());
    });
    http2.once('close', () => clearTimeout(this.#timer));
    this.#waitForRequests();
  }

  get requests(): number {
    return this.#streams;
  }

  /** Whether it has ever sent a request. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Says by GOAWAY which requests were the last, and closes when they are answered. */
  end(): void {
    this.#http2.close();
    if (this.#streams === 0) this.#linger();
  }

  #begin(): void {
    this.#isUsed = true;
    this.#streams += 1;
    clearTimeout(this.#timer);
  }

  #release(): void {
    this.#streams -= 1;
    if (this.#streams > 0) return;
    if (this.#http2.closed) this.#linger();
    else this.#waitForRequests();
  }

  #waitForRequests(): void {
    this.#timer = setTimeout(() => this.end(), this.#times().keepAliveTimeoutMs);
  }

  /** Waits for what is written to be read, and for the client to close: neither may ever happen. */
  #linger(): void {
    const destroy = (): void => void this.#socket?.destroy();
    setTimeout(destroy, this.#times().writeTimeoutMs).unref();
    this.#socket?.once('finish', () => void setTimeout(destroy, lingerMs).unref());
  }
}
