/** Sockets in, responses out, and a stop that loses nothing. */
import { ServerResponse, createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { ConfigurationError } from '../errors.ts';
import type { RequestError } from '../errors.ts';
import { toProblem } from './problem.ts';
import type { Bindings } from './request-record.ts';
import { makeReadable } from './target.ts';
import { textResponse } from './text-response.ts';

export interface ServerOptions {
  /** A Hono app, or anything else that answers requests. */
  readonly app: { fetch(request: Request, bindings: Bindings): Response | Promise<Response> };
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The variables that say where, as in `PORT and HOST`: for whoever has to mend it. */
  readonly setBy: string;
  /** Called for what not even the app has caught. */
  readonly onInternalError: (error: unknown) => void;
}

export interface RunningServer {
  readonly url: string;
  /** Asks clients, with every response, not to use their connections again. */
  drain(): void;
  /** Stops accepting, lets what is under way finish for at most `graceMs`, then breaks the rest. */
  close(graceMs: number): Promise<void>;
}

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

/** Makes requests of what arrives, also where no URL can be made of it. */
function listenerFor({ app, onInternalError }: ServerOptions): RequestListener {
  const unreadable = new WeakMap<IncomingMessage, RequestError>();
  const listener = getRequestListener(
    (request, bindings) => {
      const { incoming, outgoing } = bindings as HttpBindings; // this server speaks HTTP/1.1 only
      const error = unreadable.get(incoming);
      return app.fetch(request, { incoming, outgoing, ...(error && { unreadable: error }) });
    },
    {
      // Stands in where HTTP/1.0 names no host.
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

/** Where not even a layer has caught the error, so that no record of the request is at hand. */
function anonymousProblem(error: unknown): Response {
  const problem = toProblem(error);
  return textResponse(JSON.stringify(problem), problem.status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  });
}

/** Node's response, but that it asks for the end of its connection while the server drains. */
function responseClass(
  state: { readonly draining: boolean },
  onInternalError: ServerOptions['onInternalError'],
): typeof ServerResponse {
  class GatewayResponse extends ServerResponse {
    override writeHead(...head: unknown[]): this {
      // Asked only now: a connection that is kept for a next request would hold up the stop.
      if (state.draining) this.shouldKeepAlive = false;
      try {
        return super.writeHead(...(head as Parameters<ServerResponse['writeHead']>)); // passed on as given
      } catch (error) {
        // The adapter would put the error's message into a response of its own.
        onInternalError(error);
        return this.destroy();
      }
    }
  }
  return GatewayResponse as typeof ServerResponse; // Node makes them, for the requests it makes
}

function listen(server: Server, { host, port, setBy }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new ConfigurationError(
          `Cannot listen on ${host}:${port} (${error.code}). Set ${setBy} to an address that is free.`,
          { cause: error },
        ),
      );
    });
    server.listen(port, host, () => resolve());
  });
}

/**
 * Node takes a connection for idle as soon as the end of its answer was said, not when it is written: one
 * that is large, to a client that reads slowly, would be cut off by the stop.
 */
function trackConnections(server: Server): { endWhenIdle(): void } {
  const answering = new Map<Socket, number>();
  let ending = false;
  const count = (socket: Socket, change: number): void => {
    const before = answering.get(socket);
    // A client that has gone takes its connection along before its answer is given up.
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
  // `close()` calls it, too.
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
