import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { openCertificate } from '../../src/http/certificate.ts';
import { readTls } from '../../src/settings/tls.ts';
import { createAuthority } from '../support/certificates.ts';
import type { Certificate as Pair } from '../support/certificates.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import {
  ask,
  connectHttp2,
  createCertificate,
  fingerprintOf,
  writeTlsFiles,
} from '../support/tls.ts';
import type { TlsOptions } from '../support/tls.ts';

async function serve(options?: TlsOptions) {
  const tls = createCertificate(options);
  const gateway = await startWithMocks({ compositions: {}, certificate: tls.certificate });
  return { ...gateway, ...tls };
}

/** What a client gets that sends one request over HTTP/1.1, or why it gets nothing. */
async function tryOut(url: string, options: ConnectionOptions): Promise<string> {
  const socket = connect({
    port: Number(new URL(url).port),
    host: 'localhost',
    servername: 'localhost',
    ...options,
  });
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
  socket.write('GET /livez HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n');
  const failed = once(socket, 'error').then(([error]) => String(error));
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  const error = await Promise.race([failed, closed]);
  return error ?? (received === '' ? 'closed' : (received.split('\r\n', 1)[0] ?? ''));
}

describe('a gateway with a certificate', () => {
  it('serves HTTP/2 to clients that offer it, and HTTP/1.1 to others', async () => {
    const { url, ca } = await serve();
    expect(url).toMatch(/^https:/);
    const session = connectHttp2(url, { ca });
    expect(await ask(session, '/livez')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect(await tryOut(url, { ca })).toBe('HTTP/1.1 200 OK');
    expect(await tryOut(url, { ca, ALPNProtocols: ['http/1.1'] })).toBe('HTTP/1.1 200 OK');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const { url, ca } = await serve();
    const options = { ca, minVersion: version, maxVersion: version };
    expect(await tryOut(url, options)).toBe('HTTP/1.1 200 OK');
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('does not speak %s', async (version) => {
    const { url, ca } = await serve();
    const old = { ca, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    expect(await tryOut(url, old)).toContain('alert protocol version');
  });

  it('ends a connection that agrees on no protocol, or speaks without TLS, and no other', async () => {
    const { url, ca } = await serve();
    const session = connectHttp2(url, { ca });
    expect(await tryOut(url, { ca, ALPNProtocols: ['h3'] })).toContain('no application protocol');
    const plain = connectPlain(Number(new URL(url).port), '127.0.0.1');
    plain.on('error', () => undefined);
    plain.write('GET /livez HTTP/1.1\r\nhost: gateway\r\n\r\n');
    await once(plain, 'close');
    expect((await ask(session, '/livez')).status).toBe(200);
  });
});

describe('a connection over TLS', () => {
  it('ends when its client does not get on with the handshake', async () => {
    const { certificate } = createCertificate();
    const sockets = { headersTimeoutMs: 200 };
    const { url } = await startWithMocks({ compositions: {}, certificate, sockets });
    const socket = connectPlain(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined).resume();
    const startedAt = performance.now();
    await once(socket, 'close');
    expect(performance.now() - startedAt).toBeGreaterThan(150);
  });

  it('does not hold up a stop by a handshake that it has not begun', async () => {
    const { certificate } = createCertificate();
    const { url, close } = await startWithMocks({ compositions: {}, certificate });
    const socket = connectPlain(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    const startedAt = performance.now();
    await close(8_000);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

describe('a certificate', () => {
  it.each([
    ['has expired', 5, /cert\.pem expired on 20\d\d-.*Z$/],
    ['is not valid yet', -5, /cert\.pem is not valid before 20\d\d-.*Z$/],
    ['is valid', 0, /^$/],
  ])('that %s is used, with a warning if need be', (_what, days, warning) => {
    const warnings: string[] = [];
    const { tls } = readTls(writeTlsFiles().environment);
    const clock = { ...systemClock, epoch: () => Date.now() + days * 24 * 60 * 60 * 1_000 };
    const onWarning = (message: string): void => void warnings.push(message);
    const secrets = tls?.openSecrets({ clock, onWarning });
    if (tls === undefined || secrets === undefined) throw new Error('There is no certificate.');
    openCertificate({ ...tls, secrets, clock, onWarning });
    expect(warnings.join('\n')).toMatch(warning);
  });
});

describe('certificates of clients', () => {
  it('are not asked for by default', async () => {
    const { url, ca } = await serve();
    const socket = connect({ port: Number(new URL(url).port), ca, servername: 'localhost' });
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    expect(await tryOut(url, { ca })).toBe('HTTP/1.1 200 OK');
    socket.destroy();
  });

  it.each([
    ['required', 'of the authority', /200 OK/, 200],
    ['required', 'missing', /certificate required/, 'refused'],
    ['required', 'of another authority', /^(?!HTTP)/, 'refused'],
    ['requested', 'of the authority', /200 OK/, 200],
    ['requested', 'missing', /200 OK/, 200],
    ['requested', 'of another authority', /^(?!HTTP)/, 'refused'],
  ] as const)('that are %s, and %s', async (clients, which, answer, status) => {
    const authority = createAuthority();
    const { url, ca } = await serve({ authority, clients });
    const own: Partial<Pair> =
      which === 'missing'
        ? {}
        : (which === 'of the authority' ? authority : createAuthority()).issue('me');
    expect(await tryOut(url, { ca, ...own })).toMatch(answer);
    const session = connectHttp2(url, { ca, ...own });
    const overHttp2 = await ask(session, '/livez').then(
      (served) => served.status,
      () => 'refused',
    );
    expect(overHttp2).toBe(status);
  });
});

describe('the certificate of a client', () => {
  it('can be read by middleware', async () => {
    const authority = createAuthority();
    const { certificate, ca } = createCertificate({ authority, clients: 'required' });
    const { url } = await startWithMocks({
      compositions: {},
      certificate,
      middleware: [
        async (c) => {
          // Every request comes over a connection of the gateway, which is a TLS socket.
          const socket = c.env.incoming.socket as TLSSocket;
          return c.text(String(socket.getPeerCertificate().subject.CN));
        },
      ],
    });
    const own = authority.issue('somebody');
    const session = connectHttp2(url, { ca, ...own });
    expect((await ask(session, '/parts')).body).toBe('somebody');
    const agent = new Agent({ ca, ...own });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(`${url.replace('127.0.0.1', 'localhost')}/parts`, { agent }, resolve)
        .once('error', reject)
        .end();
    });
    expect(await text(response)).toBe('somebody');
  });
});

describe('files of a certificate that change', () => {
  it('are used for new connections, while requests go on over those that are open', async () => {
    const authority = createAuthority();
    const { url, ca, write, warnings } = await serve({ authority });
    const http1 = startLoad(url, ca);
    const session = connectHttp2(url, { ca });
    let answered = 0;
    for (let round = 0; round < 3; round += 1) {
      const previous = await fingerprintOf(url, ca);
      write(authority.issue('localhost'));
      await vi.waitUntil(async () => (await fingerprintOf(url, ca)) !== previous);
      for (let index = 0; index < 20; index += 1)
        answered += Number((await ask(session, '/livez')).status === 200);
    }
    expect(answered).toBe(60);
    expect(await http1.stop()).toEqual({ lost: [], connections: 8 });
    expect(warnings).toEqual([]);
  });

  it.each([
    [
      'the certificate alone',
      ({ cert }: Pair) => ({ cert }),
      /key\.pem is not the key of .*cert\.pem\. The last ones stay in use\.$/,
    ],
    [
      'a certificate that is none',
      () => ({ cert: 'nonsense' }),
      /cert\.pem is not a certificate in PEM form\. Its last content stays in use\.$/,
    ],
    [
      'a key that is none',
      () => ({ key: '' }),
      /key\.pem is empty\. Its last content stays in use\.$/,
    ],
  ])('to what cannot be used are not: %s', async (_what, change, warning) => {
    const authority = createAuthority();
    const { url, ca, write, warnings } = await serve({ authority });
    const before = await fingerprintOf(url, ca);
    const next = authority.issue('localhost');
    write(change(next));
    await vi.waitUntil(() => warnings.length > 0);
    expect(warnings).toEqual([expect.stringMatching(warning)]);
    expect(await fingerprintOf(url, ca)).toBe(before);
    write(next);
    await vi.waitUntil(async () => (await fingerprintOf(url, ca)) !== before);
  });
});

/** Eight clients that each ask again and again over one connection. */
function startLoad(url: string, ca: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca });
  const lost: unknown[] = [];
  const sockets = new Set<unknown>();
  const over = new AbortController();
  const get = (): Promise<void> =>
    new Promise((resolve) => {
      const sent = request(
        url.replace('127.0.0.1', 'localhost') + '/livez',
        { agent },
        (response) => {
          sockets.add(response.socket);
          if (response.statusCode !== 200) lost.push(response.statusCode);
          response.resume().once('end', resolve);
        },
      );
      sent.once('error', (error) => {
        lost.push(error);
        resolve();
      });
      sent.end();
    });
  const clients = Array.from({ length: 8 }, async () => {
    while (!over.signal.aborted) await get();
  });
  return {
    async stop() {
      over.abort();
      await Promise.all(clients);
      agent.destroy();
      return { lost, connections: sockets.size };
    },
  };
}
