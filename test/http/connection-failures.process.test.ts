/** Connections that fail: why, in fixed words, and whose they are. */
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ConnectionFailure } from '../../src/http/connection-failures.ts';
import { combine } from '../../src/telemetry/telemetry.ts';
import { createAuthority } from '../support/certificates.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { WithMocksOptions } from '../support/gateway-with-mocks.ts';
import { ask, connectHttp2, createCertificate } from '../support/tls.ts';
import type { TlsOptions } from '../support/tls.ts';

async function serve(options: Partial<WithMocksOptions> = {}) {
  const failures: ConnectionFailure[] = [];
  const telemetry = combine([{ onConnectionFailure: (failure) => void failures.push(failure) }]);
  const { url } = await startWithMocks({ compositions: {}, telemetry, ...options });
  return { url, port: Number(new URL(url).port), failures };
}

/** Opens a connection over TLS that is usable, or fails, and ends it. */
async function shake(port: number, options: ConnectionOptions): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ...options });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.on('secureConnect', () => setTimeout(() => socket.destroy(), 200));
  await once(socket, 'close').catch(() => undefined);
}

/** Sends bytes without TLS, and goes away after a while. */
async function send(port: number, bytes: string | Buffer): Promise<void> {
  const socket = connectPlain(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (bytes.length > 0) socket.write(bytes);
  setTimeout(() => socket.destroy(), 200);
  await once(socket, 'close');
}

const clientHello = Buffer.from([0x16, 3, 1, 2, 0, 1]);
const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' } as const;

describe('a TLS handshake that fails is told with its reason', () => {
  it.each<[string, (port: number) => Promise<void>]>([
    ['plain-http', (port) => send(port, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')],
    ['not-tls', (port) => send(port, 'SSH-2.0-OpenSSH\r\n')],
    ['not-tls', (port) => send(port, Buffer.alloc(300, 255))],
    ['tls-version', (port) => shake(port, { ...old, ciphers: 'DEFAULT@SECLEVEL=0' })],
    [
      'no-shared-cipher',
      (port) => shake(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }),
    ],
    ['no-shared-protocol', (port) => shake(port, { ALPNProtocols: ['h3'] })],
    ['handshake-aborted', (port) => send(port, clientHello)],
  ])('%s', async (reason, provoke) => {
    const { certificate } = createCertificate();
    const { port, failures } = await serve({ certificate });
    await provoke(port);
    await vi.waitFor(() => expect(failures).toEqual([{ reason, peer: '127.0.0.1' }]));
  });

  it('handshake-timeout', async () => {
    const { certificate } = createCertificate();
    const sockets = { headersTimeoutMs: 100 };
    const { port, failures } = await serve({ certificate, sockets });
    const socket = connectPlain(port, '127.0.0.1');
    socket.write(clientHello);
    await once(socket.resume(), 'close');
    expect(failures).toEqual([{ reason: 'handshake-timeout', peer: '127.0.0.1' }]);
  });

  it.each<[string, NonNullable<TlsOptions['clients']>, 'none' | 'expired' | 'unknown']>([
    ['no-client-certificate', 'required', 'none'],
    ['client-certificate-expired', 'required', 'expired'],
    ['client-certificate-untrusted', 'required', 'unknown'],
    ['client-certificate-expired', 'requested', 'expired'],
    ['client-certificate-untrusted', 'requested', 'unknown'],
  ])('%s, where certificates are %s', async (reason, clients, which) => {
    const authority = createAuthority();
    const { certificate, ca } = createCertificate({ authority, clients });
    const { port, failures } = await serve({ certificate });
    const shown = {
      none: () => ({}),
      expired: () => authority.issue('me', -1),
      unknown: () => createAuthority().issue('me'),
    };
    await shake(port, { ca, ...shown[which]() });
    await vi.waitFor(() => expect(failures).toEqual([{ reason, peer: '127.0.0.1' }]));
  });

  it('but not that of a load balancer which only looks whether the port is open', async () => {
    const { certificate, ca } = createCertificate();
    const { url, port, failures } = await serve({ certificate });
    await send(port, '');
    expect((await ask(connectHttp2(url, { ca }), '/livez')).status).toBe(200);
    expect(failures).toEqual([]);
  });
});

it('tells of HTTP/2 that is none', async () => {
  const { certificate, ca } = createCertificate();
  const { port, failures } = await serve({ certificate });
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca,
    ALPNProtocols: ['h2'],
  });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.write('this is no preface of HTTP/2 at all\r\n\r\n');
  await vi.waitFor(() => expect(failures).toEqual([{ reason: 'http2-error', peer: '127.0.0.1' }]));
});

it('tells of connections beyond those of one address', async () => {
  const { port, failures } = await serve({ sockets: { connectionsPerAddress: 1 } });
  const first = connectPlain(port, '127.0.0.1');
  onTestFinished(() => void first.destroy());
  await once(first, 'connect');
  await send(port, 'GET /livez HTTP/1.1\r\nhost: a\r\n\r\n');
  expect(failures).toEqual([{ reason: 'connections-per-address', peer: '127.0.0.1' }]);
});
