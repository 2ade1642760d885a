/** The server of the public side where TLS ends here: HTTP/1.1 and HTTP/2, as clients prefer. */
import type { Server, ServerOptions } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { Http2SecureServer, Http2ServerResponse } from 'node:http2';
import { Server as NetServer } from 'node:net';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Certificate } from './certificate.ts';
import { certificateProblem } from './connection-failures.ts';
import type { OnConnectionFailure } from './connection-failures.ts';
import { mostHeaderBytes } from './socket-limits.ts';

export interface TlsServerOptions {
  readonly certificate: Certificate;
  /** For connections that agree on HTTP/1.1. */
  readonly http1: ServerOptions;
  readonly Http2ServerResponse: typeof Http2ServerResponse;
  readonly handshakeTimeoutMs: number;
  readonly onConnectionFailure: OnConnectionFailure;
}

/** Requests of a connection under way at a time; more are refused by REFUSED_STREAM. */
const mostStreams = 100;

/**
 * Node resets streams whose fields are larger, before anything of ours sees them; each counts for
 * 32 bytes more than it has (RFC 9113, 6.5.2). Those that are too large by less get a problem.
 */
const mostFieldBytes = 2 * mostHeaderBytes;

/**
 * Makes the server, which exchanges its certificate for later connections when the files change.
 */
export function createTlsServer(options: TlsServerOptions): Http2SecureServer {
  const { certificate, http1, handshakeTimeoutMs, onConnectionFailure } = options;
  const server = createSecureServer({
    ...certificate.first,
    requestCert: certificate.asksClients,
    rejectUnauthorized: !certificate.clientsMayLackOne,
    handshakeTimeout: handshakeTimeoutMs,
    allowHTTP1: true,
    // It takes all options of HTTP/1.1, although its type has three of them only.
    http1Options: http1 as object,
    Http2ServerResponse: options.Http2ServerResponse,
    settings: { maxConcurrentStreams: mostStreams, maxHeaderListSize: mostFieldBytes },
    maxHeaderListPairs: mostFieldBytes / 32,
  });
  if (certificate.asksClients) refuseUnknownClients(server, onConnectionFailure);
  followSockets(server);
  server.once('listening', () => {
    const stopFollowing = certificate.follow((now) => server.setSecureContext(now));
    server.once('close', stopFollowing);
  });
  return server;
}

/**
 * The part of `http.Server` that a server over TLS has as well: the events of its requests, whose
 * HTTP/2 kind has all that is read of them, and the functions that `followSockets` adds.
 */
export function asHttpServer(server: Http2SecureServer): Server {
  return server as unknown as Server;
}

/** Ends connections with a certificate of unknown origin where one without any may go on. */
function refuseUnknownClients(server: Http2SecureServer, onFailure: OnConnectionFailure): void {
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const { raw } = socket.getPeerCertificate();
    if (raw === undefined || socket.authorized) return;
    const reason = certificateProblem(socket) ?? 'client-certificate-untrusted';
    onFailure({ reason, peer: socket.remoteAddress ?? '' });
    socket.destroy();
  });
}

/** Adds what `http.Server` has: Node's secure server does not know all of its sockets. */
function followSockets(server: Http2SecureServer): void {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  Object.assign(server, {
    closeAllConnections() {
      for (const socket of sockets) socket.destroy();
    },
    // Node's own would also end connections over HTTP/2 that have not sent their first request yet.
    close(then?: () => void) {
      return NetServer.prototype.close.call(server, then);
    },
  });
}
