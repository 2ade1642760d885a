/** The HTTP server: sockets, limits, and a graceful stop. */
import { ServerResponse, createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { ConfigurationError } from '../errors.ts';
import type { RequestError } from '../errors.ts';
import { anonymousProblem } from './error-response.ts';
import type { Bindings } from './request-record.ts';
import { makeReadable } from './target.ts';

export interface ServerOptions {
  /** A Hono app, or anything else with a `fetch`. */
  readonly app: { fetch(request: Request, bindings: Bindings): Response | Promise<Response> };
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The variables that set the address, as in `PORT and HOST`, for error messages. */
  readonly setBy: string;
  /** Called for errors that not even the app has caught. */
  readonly onInternalError: (error: unknown) => void;
}

export interface RunningServer {
  readonly url: string;
  /** Sends `Connection: close` with every response from now on. */
  drain(): void;
  /**
   * Stops accepting, lets requests in flight finish for at most `graceMs`, then breaks the rest.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Connections that the system keeps until they are accepted, as far as its own limit allows (Linux:
 * `net.core.somaxconn`). With Node's 511, a crowd that arrives while the event loop is late would be
 * reset.
 */
const backlog = 4_096;

const limits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  maxHeaderSize: 16 * 1024,
  connectionsCheckingInterval: 1_000,
};

/** @throws ConfigurationError when it cannot listen there. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, onInternalError } = options;
  const state = { draining: false };
  const server = createServer(
    { ...limits, ServerResponse: responseClass(state, onInternalError) },
    listenerFor(options),
  );
  const connections = trackConnections(server);
  await listen(server, options);
  const address = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    drain() {
      state.draining = true;
    },
    close(graceMs) {
      state.draining = true;
      connections.endWhenIdle();
      return stop(server, graceMs);
    },
  };
}

/** Turns Node's requests into web requests, including those of which no URL can be made. */
function listenerFor({ app, onInternalError }: ServerOptions): RequestListener {
  const unreadable = new WeakMap<IncomingMessage, RequestError>();
  const listener = getRequestListener(
    (request, bindings) => {
      const own = bindings as HttpBindings; // this server speaks HTTP/1.1 only
      const error = unreadable.get(own.incoming);
      return app.fetch(request, error === undefined ? own : { ...own, unreadable: error });
    },
    {
      // For requests without a usable Host.
      hostname: 'none',
      errorHandler(error) {
        onInternalError(error);
        return anonymousProblem(error);
      },
    },
  );
  return (incoming, outgoing) => {
    const error = makeReadable(incoming);
    if (error !== undefined) unreadable.set(incoming, error);
    listener(incoming, outgoing).catch((failure: unknown) => {
      onInternalError(failure);
      outgoing.destroy();
    });
  };
}

/** Node's response, which also ends its connection while the server drains. */
function responseClass(
  state: { readonly draining: boolean },
  onInternalError: ServerOptions['onInternalError'],
): typeof ServerResponse {
  class GatewayResponse extends ServerResponse {
    override writeHead(...head: unknown[]): this {
      // Checked this late since a connection kept alive would hold up the stop.
      if (state.draining) this.shouldKeepAlive = false;
      try {
        // Passed on as given, in any of its forms.
        return super.writeHead(...(head as Parameters<ServerResponse['writeHead']>));
      } catch (error) {
        // The adapter would send the error's message to the client.
        onInternalError(error);
        return this.destroy();
      }
    }
  }
  return GatewayResponse as typeof ServerResponse; // Node constructs both sides of an exchange
}

function listen(server: Server, { host, port, setBy }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new ConfigurationError(
          `Cannot listen on ${host}:${port} (${error.code}). Set ${setBy} to a free address.`,
          { cause: error },
        ),
      );
    });
    server.listen({ port, host, backlog }, () => resolve());
  });
}

/**
 * Counts the responses that are still being written per connection. Node takes a connection for
 * idle as soon as a response has ended, even when it is not written yet: a stop would cut off slow
 * readers.
 */
function trackConnections(server: Server): { endWhenIdle(): void } {
  const answering = new Map<Socket, number>();
  let ending = false;
  const count = (socket: Socket, change: number): void => {
    const before = answering.get(socket);
    // The connection is closed before the response when the client has disconnected.
    if (before === undefined) return;
    const left = before + change;
    answering.set(socket, left);
    if (ending && left === 0) socket.end();
  };
  server.on('connection', (socket: Socket) => {
    answering.set(socket, 0);
    socket.once('close', () => answering.delete(socket));
  });
  server.on('request', ({ socket }, outgoing) => {
    count(socket, 1);
    outgoing.once('close', () => count(socket, -1));
  });
  // Node's own `close()` calls it, too.
  server.closeIdleConnections = () => {
    for (const [socket, left] of answering) if (left === 0) socket.destroy();
  };
  return {
    endWhenIdle() {
      ending = true;
    },
  };
}

function stop(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
