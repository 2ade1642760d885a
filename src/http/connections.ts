/** The connections of a server: how many of their requests are under way, and which may end. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { addressGroup, isWithin } from '../network.ts';
import { createTally } from '../tally.ts';
import type { OnConnectionFailure } from './connection-failures.ts';
import type { SocketLimits } from './socket-limits.ts';

export interface Connections {
  /** Runs `serve` as soon as it is the request's turn. */
  take(incoming: IncomingMessage, outgoing: ServerResponse, serve: () => void): void;
  /** Runs `then` when all requests of the connection that were taken are answered. */
  whenAnswered(socket: Socket, then: () => void): void;
  /** Lets requests wait that come from now on, until `goOn`. */
  hold(): void;
  goOn(): void;
  /** Ends every connection from now on as soon as its requests are answered. */
  endWhenIdle(): void;
  /** Ends those that idle, but for new ones: their first request is on its way. */
  closeIdle(): void;
  /** Ends those that have never sent a request. */
  endUnused(): void;
  /** The number of requests that are not answered to their end. */
  requests(): number;
  /** The number of open connections, whichever protocol they speak. */
  count(): number;
}

interface ConnectionLimits extends Pick<SocketLimits, 'connectionsPerAddress' | 'trustedPeers'> {
  readonly onConnectionFailure: OnConnectionFailure;
}

/**
 * The requests of one connection that are served at the same time. Others wait, and while they do
 * the socket is not read: a client that pipelines a thousand requests waits for its own answers.
 */
const mostAtOnce = 8;

/**
 * Follows the connections of `server`. Node takes a connection for idle as soon as a response has
 * ended, even when it is not written yet: a stop would cut off slow readers.
 */
export function followConnections(server: Server, limits: ConnectionLimits): Connections {
  const connections = new Map<Socket, Connection>();
  let open = 0;
  const admit = perAddress(limits);
  const state: State = { isEnding: false, isHeld: false };

  function follow(socket: Socket): void {
    const connection = new Connection(socket, state);
    connections.set(socket, connection);
    socket.once('close', () => {
      connections.delete(socket);
      connection.close();
    });
  }

  server.on('connection', (socket: Socket) => {
    open += 1;
    socket.once('close', () => (open -= 1));
    if (!admit(socket)) socket.destroy();
    else if (!(server instanceof TlsServer)) follow(socket);
  });
  // Requests of HTTP/2 come in streams: see `sessions`.
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol !== 'h2') follow(socket);
  });
  // Node's own `close()` calls it before it stops listening, which has to come first here: see
  // `closeIdle`.
  server.closeIdleConnections = () => undefined;
  // When a connection has idled for too long, or for the time that a write may take.
  server.on('timeout', (socket: Socket) => {
    if (connections.get(socket)?.isIdle !== false || socket.writableLength > 0) socket.destroy();
  });

  return {
    take(incoming, outgoing, serve) {
      // The connection is closed before its requests when the client has disconnected.
      connections.get(incoming.socket)?.take(outgoing, serve);
    },
    whenAnswered(socket, then) {
      connections.get(socket)?.whenIdle(then);
    },
    hold() {
      state.isHeld = true;
    },
    goOn() {
      state.isHeld = false;
      for (const connection of connections.values()) connection.serveNext();
    },
    endWhenIdle() {
      state.isEnding = true;
    },
    closeIdle() {
      for (const [socket, connection] of connections)
        if (connection.isIdle && connection.isUsed) socket.destroy();
    },
    endUnused() {
      for (const [socket, connection] of connections) if (!connection.isUsed) socket.destroy();
    },
    count: () => open,
    requests: () =>
      [...connections.values()].reduce((sum, connection) => sum + connection.requests, 0),
  };
}

/** Of all connections of a server. */
interface State {
  isEnding: boolean;
  isHeld: boolean;
}

class Connection {
  readonly #socket: Socket;
  readonly #state: Readonly<State>;
  /** Answers that are not written to their end, also those of requests that wait. */
  readonly #open = new Set<ServerResponse>();
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;
  #isUsed = false;
  #afterwards: (() => void) | undefined;

  constructor(socket: Socket, state: Readonly<State>) {
    this.#socket = socket;
    this.#state = state;
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  get requests(): number {
    return this.#open.size;
  }

  /** Whether it has ever sent a request. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  take(outgoing: ServerResponse, serve: () => void): void {
    this.#isUsed = true;
    this.#open.add(outgoing);
    outgoing.once('close', () => this.#release(outgoing));
    this.#waiting.push(serve);
    this.serveNext();
    if (this.#waiting.length > 0) this.#socket.pause();
  }

  /** Serves what waits, as far as it may. */
  serveNext(): void {
    while (this.#underWay < mostAtOnce && !this.#state.isHeld) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#underWay += 1;
      next();
    }
  }

  #release(outgoing: ServerResponse): void {
    this.#open.delete(outgoing);
    this.#underWay -= 1;
    this.serveNext();
    // Node resumes the socket with the end of each answer.
    if (this.#underWay >= mostAtOnce) this.#socket.pause();
    else this.#socket.resume();
    if (!this.isIdle) return;
    this.#afterwards?.();
    if (this.#state.isEnding) this.#socket.end();
  }

  whenIdle(then: () => void): void {
    if (this.isIdle) then();
    else this.#afterwards = then;
  }

  /** Tells every request that its client is gone: Node tells only the first of those pipelined. */
  close(): void {
    this.#waiting.length = 0;
    const left = [...this.#open];
    this.#open.clear();
    for (const outgoing of left) outgoing.emit('close');
  }
}

/** Whether a connection may be one more of its address. */
function perAddress(limits: ConnectionLimits): (socket: Socket) => boolean {
  const { connectionsPerAddress: most, trustedPeers = [], onConnectionFailure } = limits;
  if (most === undefined) return () => true;
  const open = createTally();
  const isTrusted = isWithin(trustedPeers);
  return function admit(socket) {
    const { remoteAddress = '' } = socket;
    if (isTrusted(remoteAddress)) return true;
    const group = addressGroup(remoteAddress);
    if (open.count(group) >= most) {
      onConnectionFailure({ reason: 'connections-per-address', peer: remoteAddress });
      return false;
    }
    open.add(group);
    socket.once('close', () => open.remove(group));
    return true;
  };
}
