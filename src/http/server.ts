/** The HTTP server: sockets, limits, and a graceful stop. */
import { ServerResponse, createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { ConfigurationError, RequestError } from '../errors.ts';
import { withAdded } from './added-headers.ts';
import { followConnections } from './connections.ts';
import type { Connections } from './connections.ts';
import { anonymousProblem } from './error-response.ts';
import type { Bindings } from './request-record.ts';
import { defaultSocketLimits, mostConnections } from './socket-limits.ts';
import type { SocketLimits } from './socket-limits.ts';
import { makeReadable } from './target.ts';
import { answerUnparsed } from './unparsed.ts';

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
  /** Default: `defaultSocketLimits`. */
  readonly limits?: Partial<SocketLimits> | undefined;
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

const parserOptions = {
  maxHeaderSize: 16 * 1024,
  // Hygiene counts them: Node would drop the rest.
  maxHeadersCount: 0,
  requireHostHeader: false,
  connectionsCheckingInterval: 1_000,
};

/** @throws ConfigurationError when it cannot listen there. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, onInternalError } = options;
  const state = { draining: false };
  const limits = { ...defaultSocketLimits, ...options.limits };
  const server = createServer({
    ...parserOptions,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    ServerResponse: responseClass(state, onInternalError),
  });
  server.timeout = limits.writeTimeoutMs;
  server.maxConnections = mostConnections() ?? Infinity;
  const connections = followConnections(server, limits);
  const serve = listenerFor(options);
  server.on('request', (incoming, outgoing) =>
    connections.take(incoming, outgoing, () => serve(incoming, outgoing)),
  );
  server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) =>
    connections.take(incoming, outgoing, () => serve(incoming, outgoing, unmet)),
  );
  answerUnparsed(server, {
    answer: async (request, bindings) => options.app.fetch(request, bindings),
    whenAnswered: connections.whenAnswered,
    onInternalError,
  });
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
      return stop(server, connections, graceMs);
    },
  };
}

type Serve = (incoming: IncomingMessage, outgoing: ServerResponse, refusal?: RequestError) => void;

const unmet = new RequestError('expectation-failed', 'Only Expect: 100-continue can be met.');

/** Turns Node's requests into web requests, including those of which no URL can be made. */
function listenerFor({ app, onInternalError }: ServerOptions): Serve {
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
  return function serve(incoming, outgoing, refusal) {
    const error = makeReadable(incoming) ?? refusal;
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
      // Checked this late since a connection kept alive would hold up the stop, and since the rest
      // of an unread body is no request.
      if (state.draining || !this.req.complete) this.shouldKeepAlive = false;
      try {
        // Passed on as given, in any of its forms.
        return super.writeHead(
          ...(withAdded(this, head) as Parameters<ServerResponse['writeHead']>),
        );
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

/** How long a connection that was accepted last may take to send its request. */
const lastWordMs = 250;

function stop(server: Server, connections: Connections, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), graceMs);
    const unused = setTimeout(() => connections.endUnused(), Math.min(lastWordMs, graceMs));
    atQuietMoment(server, function closeNow() {
      server.close(() => {
        clearTimeout(force);
        clearTimeout(unused);
        resolve();
      });
      connections.closeIdle();
    });
  });
}

/** How long connections that wait are still accepted, in milliseconds. */
const longestWaitMs = 200;

/** A turn of the event loop this short, in milliseconds, has done nothing but look for events. */
const quietMs = 0.1;

/**
 * Runs `close` right after a turn of the event loop that found nothing to do: connections that the
 * system has accepted since the last look, on our behalf, will be reset. libuv accepts one in a turn.
 */
function atQuietMoment(server: Server, close: () => void): void {
  const startedAt = performance.now();
  let turnedAt = startedAt;
  let hasAccepted = true;
  const note = (): void => void (hasAccepted = true);
  server.on('connection', note);
  setImmediate(function look() {
    const now = performance.now();
    const isQuiet = !hasAccepted && now - turnedAt < quietMs;
    turnedAt = now;
    hasAccepted = false;
    if (!isQuiet && now - startedAt < longestWaitMs) return void setImmediate(look);
    server.off('connection', note);
    return close();
  });
}
