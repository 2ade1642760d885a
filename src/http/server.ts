/** Sockets in, responses out, and a stop that loses nothing. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { ConfigurationError } from '../errors.ts';
import { createExchange, requestIdOf } from './exchange.ts';
import type { Exchange, Handler } from './exchange.ts';
import { problemResponse, toProblem } from './problem.ts';
import { clientRequest } from './request.ts';
import type { ClientRequest } from './request.ts';
import type { TextResponse } from './text-response.ts';

// An import would read all that is in there, and so load what `fetch` is made of: 12 MiB.
const { createServer } = process.getBuiltinModule('node:http');

export interface ServerOptions {
  readonly handler: Handler;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The variables that say where, as in `PORT and HOST`: for whoever has to mend it. */
  readonly setBy: string;
  readonly clock: Clock;
  /** Told of what not even the handler has caught. */
  readonly onInternalError: (error: unknown) => void;
}

export interface RunningServer {
  readonly url: string;
  /** Asks clients, with every response, not to use their connections again. */
  drain(): void;
  /** Stops accepting, lets what is under way finish for at most `graceMs`, then breaks the rest. */
  close(graceMs: number): Promise<void>;
}

/** @throws ConfigurationError when it cannot listen there. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, clock } = options;
  let closing = false;
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      maxHeaderSize: 16 * 1024,
      connectionsCheckingInterval: 1_000,
    },
    async (incoming, outgoing) => {
      const response = await answer(
        options,
        clientRequest(incoming),
        exchangeFor(incoming, outgoing, clock),
      );
      // Asked only now: a connection that is kept for a next request would hold up the stop.
      if (closing) outgoing.shouldKeepAlive = false;
      try {
        write(response, outgoing);
      } catch (error) {
        options.onInternalError(error);
        outgoing.destroy();
      }
      // What is left of a body is in the way of the connection's next request.
      incoming.resume();
    },
  );
  const connections = trackConnections(server);
  await listen(server, options);
  const address = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    drain() {
      closing = true;
    },
    close(graceMs) {
      closing = true;
      connections.endWhenIdle();
      return stop(server, graceMs);
    },
  };
}

async function answer(
  { handler, onInternalError }: ServerOptions,
  request: ClientRequest,
  exchange: Exchange,
): Promise<TextResponse> {
  try {
    return await handler(request, exchange);
  } catch (error) {
    onInternalError(error);
    return problemResponse(toProblem(error), exchange, request.path);
  }
}

function write({ status, headers, content }: TextResponse, outgoing: ServerResponse): void {
  const length = content === null ? {} : { 'content-length': Buffer.byteLength(content) };
  outgoing.writeHead(status, { ...headers.record, ...length });
  outgoing.end(content ?? undefined);
}

function exchangeFor(incoming: IncomingMessage, outgoing: ServerResponse, clock: Clock): Exchange {
  const header = (name: string): string | undefined => {
    // Not what every object has: a name may be anything.
    const value = Object.hasOwn(incoming.headers, name) ? incoming.headers[name] : undefined;
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return createExchange({
    requestId: requestIdOf(header('x-request-id')),
    header,
    startedAt: clock.now(),
    peer: incoming.socket.remoteAddress ?? '',
    onDisconnect(listener) {
      outgoing.once('close', () => {
        if (!outgoing.writableFinished) listener();
      });
    },
  });
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
