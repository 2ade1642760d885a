/** Reasons why connections of clients fail: TLS, HTTP/2, or too many of them. */
import type { Server } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export const failureReasons = [
  'plain-http',
  'not-tls',
  'tls-version',
  'no-shared-cipher',
  'no-shared-protocol',
  'no-client-certificate',
  'client-certificate-expired',
  'client-certificate-not-yet-valid',
  'client-certificate-untrusted',
  'certificate-refused',
  'handshake-timeout',
  'handshake-aborted',
  'handshake-failed',
  'http2-error',
  'connections-per-address',
  'connections',
] as const;

export type FailureReason = (typeof failureReasons)[number];

export interface ConnectionFailure {
  readonly reason: FailureReason;
  /** The address of the connection's other side: a client, or a proxy in front of us. */
  readonly peer: string;
}

export type OnConnectionFailure = (failure: ConnectionFailure) => void;

/** Reports what Node tells of a server, over TLS or not, besides the requests that it refuses. */
export function reportFailures(server: Server, onFailure: OnConnectionFailure): void {
  // A socket remembers its address if that is read while it is open.
  server.prependListener('connection', (socket: Socket) => void socket.remoteAddress);
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    // oxlint-disable-next-line no-underscore-dangle -- Node's name
    const { remoteAddress = '', bytesRead = 0 } = (socket as WrappingSocket)._parent ?? socket;
    const isAborted = error.code === 'ECONNRESET';
    // Load balancers look whether a port is open, and send nothing.
    if (isAborted && bytesRead === 0) return;
    const refusal = certificateProblem(socket);
    onFailure({ reason: refusal ?? reasonOfHandshake(error), peer: remoteAddress });
  });
  // A session that has failed does not know its connection any more.
  const peers = new WeakMap<ServerHttp2Session, string>();
  server.on('session', (session: ServerHttp2Session) => {
    peers.set(session, session.socket.remoteAddress ?? '');
  });
  server.on('sessionError', ({ code = '' }: NodeJS.ErrnoException, session: ServerHttp2Session) => {
    // Others are of the connection, which its client has broken.
    if (!code.startsWith('ERR_HTTP2_')) return;
    onFailure({ reason: 'http2-error', peer: peers.get(session) ?? '' });
  });
  // Beyond `server.maxConnections`.
  server.on('drop', (dropped?: { readonly remoteAddress?: string }) =>
    onFailure({ reason: 'connections', peer: dropped?.remoteAddress ?? '' }),
  );
}

/** The part of Node's TLS sockets that has the connection below, whose address stays known. */
interface WrappingSocket extends TLSSocket {
  readonly _parent?: Socket | null;
}

/** Why the certificate of a client is refused; `undefined` if there is no objection. */
export function certificateProblem({ authorizationError }: TLSSocket): FailureReason | undefined {
  // Node sets it to the code, although its type is that of an error.
  switch (authorizationError as unknown) {
    case undefined:
    case null:
      return undefined;
    case 'CERT_HAS_EXPIRED':
      return 'client-certificate-expired';
    case 'CERT_NOT_YET_VALID':
      return 'client-certificate-not-yet-valid';
    default:
      return 'client-certificate-untrusted';
  }
}

/** By the words of OpenSSL, of which there are hundreds. */
function reasonOfHandshake({ code = '' }: NodeJS.ErrnoException): FailureReason {
  const known = reasonsByCode.get(code);
  if (known !== undefined) return known;
  // An alert that the client has sent.
  return /^ERR_SSL_.*ALERT.*(?:CERTIFICATE|UNKNOWN_CA)/.test(code)
    ? 'certificate-refused'
    : 'handshake-failed';
}

const reasonsByCode: ReadonlyMap<string, FailureReason> = new Map([
  ['ECONNRESET', 'handshake-aborted'],
  ['EPIPE', 'handshake-aborted'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'handshake-timeout'],
  ['ERR_SSL_HTTP_REQUEST', 'plain-http'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'not-tls'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'tls-version'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls-version'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'no-shared-cipher'],
  ['ERR_SSL_NO_APPLICATION_PROTOCOL', 'no-shared-protocol'],
  ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'no-client-certificate'],
]);
