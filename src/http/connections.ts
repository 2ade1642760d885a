/** The connections of a server: how many of their requests are under way, and which may end. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface Connections {
  /** Runs `serve` as soon as it is the request's turn. */
  take(incoming: IncomingMessage, outgoing: ServerResponse, serve: () => void): void;
  /** Runs `then` when all requests of the connection that were taken are answered. */
  whenAnswered(socket: Socket, then: () => void): void;
  /** Ends every connection from now on as soon as its requests are answered. */
  endWhenIdle(): void;
}

/**
 * The requests of one connection that are served at the same time. Others wait, and while they do
 * the socket is not read: a client that pipelines a thousand requests waits for its own answers.
 */
const mostAtOnce = 8;

interface Connection {
  /** Requests that are served; their answers may still be on their way out. */
  underWay: number;
  /** Requests that were parsed beyond that. */
  readonly waiting: (() => void)[];
  /** Runs when none are left. */
  afterwards: (() => void) | undefined;
}

/**
 * Follows the connections of `server`. Node takes a connection for idle as soon as a response has
 * ended, even when it is not written yet: a stop would cut off slow readers.
 */
export function followConnections(server: Server): Connections {
  const connections = new Map<Socket, Connection>();
  let isEnding = false;

  server.on('connection', (socket: Socket) => {
    connections.set(socket, { underWay: 0, waiting: [], afterwards: undefined });
    socket.once('close', () => connections.delete(socket));
  });
  // Node's own `close()` calls it, too.
  server.closeIdleConnections = () => {
    for (const [socket, { underWay }] of connections) if (underWay === 0) socket.destroy();
  };

  function release(socket: Socket, connection: Connection): void {
    connection.underWay -= 1;
    const next = connection.waiting.shift();
    if (next !== undefined) {
      connection.underWay += 1;
      next();
    }
    // Node resumes the socket with the end of each response.
    if (connection.underWay >= mostAtOnce) socket.pause();
    else socket.resume();
    if (connection.underWay > 0) return;
    connection.afterwards?.();
    if (isEnding) socket.end();
  }

  return {
    take({ socket }, outgoing, serve) {
      const connection = connections.get(socket);
      // The connection is closed before its requests when the client has disconnected.
      if (connection === undefined) return serve();
      outgoing.once('close', () => release(socket, connection));
      if (connection.underWay < mostAtOnce) {
        connection.underWay += 1;
        return serve();
      }
      connection.waiting.push(serve);
      socket.pause();
    },
    whenAnswered(socket, then) {
      const connection = connections.get(socket);
      if (connection === undefined || connection.underWay === 0) then();
      else connection.afterwards = then;
    },
    endWhenIdle() {
      isEnding = true;
    },
  };
}
