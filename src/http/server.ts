/** The HTTP server: what it listens to, its limits, and requests on their way to the app. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { ConfigurationError, RequestError } from '../errors.ts';
import type { Certificate } from './certificate.ts';
import { reportFailures } from './connection-failures.ts';
import type { OnConnectionFailure } from './connection-failures.ts';
import { followConnections } from './connections.ts';
import { anonymousProblem } from './error-response.ts';
import { http1ResponseClass } from './http1-response.ts';
import { isHttp2 } from './http2-request.ts';
import { http2ResponseClass } from './http2-response.ts';
import type { Bindings } from './request-record.ts';
import { followSessions } from './sessions.ts';
import type { Sessions } from './sessions.ts';
import { defaultSocketLimits, mostConnections, mostHeaderBytes } from './socket-limits.ts';
import type { SocketLimits } from './socket-limits.ts';
import { hostInUrl } from '../url.ts';
import { stopServer } from './stop.ts';
import { makeReadable } from './target.ts';
import { asHttpServer, createTlsServer } from './tls.ts';
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
  /** Called by a stop that cuts off requests, with their number. */
  readonly onRequestsCut?: ((count: number) => void) | undefined;
  /** Called when a connection has failed, other than by a request that is answered. */
  readonly onConnectionFailure?: OnConnectionFailure | undefined;
  /** Default: `defaultSocketLimits`. */
  readonly limits?: Partial<SocketLimits> | undefined;
  /** Absent: the server speaks HTTP/1.1 without TLS. */
  readonly certificate?: Certificate | undefined;
}

export interface RunningServer {
  readonly url: string;
  /** The number of open connections. */
  connections(): number;
  /** Sends `Connection: close` (in HTTP/2: GOAWAY) with every response from now on. */
  drain(): void;
  /**
   * Stops accepting, lets requests in flight finish for at most `graceMs`, then breaks the rest.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Connections that the system keeps until they are accepted, as far as its own limit allows (Linux:
 * `net.core.somaxconn`). With Node's 511, a crowd that arrives while the event loop is late would
 * be reset.
 */
const backlog = 4_096;

const parserOptions = {
  maxHeaderSize: mostHeaderBytes,
  requireHostHeader: false,
  connectionsCheckingInterval: 1_000,
};

/** @throws ConfigurationError when it cannot listen there. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, onRequestsCut, onInternalError, onConnectionFailure = ignore } = options;
  const state: State = { draining: false };
  const limits = { ...defaultSocketLimits, ...options.limits };
  const { server, sessions } = openServer(options, state, limits);
  server.timeout = limits.writeTimeoutMs;
  server.maxConnections = mostConnections() ?? Infinity;
  reportFailures(server, onConnectionFailure);
  const connections = followConnections(server, { ...limits, onConnectionFailure });
  const serveNow = listenerFor(options);
  const serve: Serve = (incoming, outgoing, refusal) => {
    const now = (): void => serveNow(incoming, outgoing, refusal);
    // Connections over HTTP/2 have a limit of their own.
    if (isHttp2(incoming)) now();
    else connections.take(incoming, outgoing, now);
  };
  server.on('request', (incoming, outgoing) => serve(incoming, outgoing));
  server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) =>
    serve(incoming, outgoing, unmet),
  );
  answerUnparsed(server, {
    answer: async (request, bindings) => options.app.fetch(request, bindings),
    whenAnswered: connections.whenAnswered,
    refuse: serve,
    onInternalError,
  });
  await listen(server, options);
  const address = server.address() as AddressInfo; // it listens on TCP
  const scheme = options.certificate === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://${hostInUrl(host)}:${address.port}`,
    connections: connections.count,
    drain() {
      state.draining = true;
    },
    close(graceMs) {
      state.draining = true;
      connections.endWhenIdle();
      return stopServer(server, { connections, sessions, onRequestsCut }, graceMs);
    },
  };
}

interface Opened {
  readonly server: Server;
  /** Connections that speak HTTP/2; absent without TLS. */
  readonly sessions?: Sessions;
}

function openServer(options: ServerOptions, state: State, limits: SocketLimits): Opened {
  const { certificate, onInternalError, onConnectionFailure = ignore } = options;
  const isDraining = (): boolean => state.draining;
  const http1 = {
    ...parserOptions,
    // The head is a part of the request, and Node refuses a longer time for it.
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    ServerResponse: http1ResponseClass({ isDraining, onInternalError }),
  };
  if (certificate === undefined) return { server: createServer(http1) };
  const secure = createTlsServer({
    certificate,
    http1,
    handshakeTimeoutMs: limits.headersTimeoutMs,
    onConnectionFailure,
    Http2ServerResponse: http2ResponseClass({
      isDraining,
      writeTimeoutMs: limits.writeTimeoutMs,
      onInternalError,
    }),
  });
  return { server: asHttpServer(secure), sessions: followSessions(secure, limits) };
}

interface State {
  draining: boolean;
}

type Serve = (incoming: IncomingMessage, outgoing: ServerResponse, refusal?: RequestError) => void;

const unmet = new RequestError('expectation-failed', 'Only Expect: 100-continue can be met.');

/** Turns Node's requests into web requests, including those of which no URL can be made. */
function listenerFor({ app, onInternalError }: ServerOptions): Serve {
  const unreadable = new WeakMap<IncomingMessage, RequestError>();
  const listener = getRequestListener(
    (request, bindings) => {
      // Of HTTP/2's kind, only what both have is read.
      const own = bindings as HttpBindings;
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
    const unusable = makeReadable(incoming);
    const error = refusal ?? unusable;
    if (error !== undefined) unreadable.set(incoming, error);
    listener(incoming, outgoing).catch((failure: unknown) => {
      onInternalError(failure);
      outgoing.destroy();
    });
  };
}

function listen(server: Server, options: ServerOptions): Promise<void> {
  const { host, port, setBy, onInternalError } = options;
  return new Promise((resolve, reject) => {
    function failToListen(error: NodeJS.ErrnoException): void {
      reject(
        new ConfigurationError(
          `Cannot listen on ${host}:${port} (${error.code}). Set ${setBy} to a free address.`,
          { cause: error },
        ),
      );
    }
    server.once('error', failToListen);
    server.listen({ port, host, backlog }, function isListening() {
      server.off('error', failToListen);
      // One connection that the system cannot accept (ENOMEM, ENOBUFS) must not end the process.
      server.on('error', onInternalError);
      resolve();
    });
  });
}

function ignore(): void {}
