/** The certificate of a gateway in a test, whose files can be exchanged. */
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import type { OutgoingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { openCertificate } from '../../src/http/certificate.ts';
import type { Certificate } from '../../src/http/certificate.ts';
import { readTls } from '../../src/settings/tls.ts';
import { createAuthority } from './certificates.ts';
import type { Authority, Certificate as Pair } from './certificates.ts';

export interface TlsOptions {
  /** Default: one whose certificate for `localhost` all tests of a file share. */
  readonly authority?: Authority;
  /** Default: clients are asked for no certificates. */
  readonly clients?: 'required' | 'requested';
}

export interface TlsFiles {
  /** `TLS_CERT_FILE` and its like. */
  readonly environment: Record<string, string>;
  /** The certificate of the authority, in PEM form. */
  readonly ca: string;
  /** Writes another certificate, another key, or both. */
  write(pair: Partial<Pair>): void;
}

export interface TestCertificate extends TlsFiles {
  readonly certificate: Certificate;
  readonly warnings: readonly string[];
}

/** openssl takes its time. */
let shared: { readonly ca: string; readonly pair: Pair } | undefined;

/** Files of a certificate for `localhost`, which are gone after the test. */
export function writeTlsFiles({ authority, clients }: TlsOptions = {}): TlsFiles {
  const folder = mkdtempSync(join(tmpdir(), 'plait-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  function write({ cert, key }: Partial<Pair>): void {
    if (cert !== undefined) replaceFile(path('cert.pem'), cert);
    if (key !== undefined) replaceFile(path('key.pem'), key);
  }
  const { ca, pair } = authority ? issueBy(authority) : (shared ??= issueBy(createAuthority()));
  write(pair);
  writeFileSync(path('ca.pem'), ca);
  return {
    ca,
    write,
    environment: {
      TLS_CERT_FILE: path('cert.pem'),
      TLS_KEY_FILE: path('key.pem'),
      ...(clients && { TLS_CLIENT_CA_FILE: path('ca.pem'), TLS_CLIENT_CERTIFICATES: clients }),
    },
  };
}

/** In one step, so that nobody reads a part of it. */
function replaceFile(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

function issueBy(authority: Authority): { readonly ca: string; readonly pair: Pair } {
  return { ca: authority.cert, pair: authority.issue('localhost') };
}

/** The same, opened as a gateway opens it. */
export function createCertificate(options: TlsOptions = {}): TestCertificate {
  const files = writeTlsFiles(options);
  const { tls, problems } = readTls(files.environment);
  if (tls === undefined) throw new Error(problems.join('\n'));
  const warnings: string[] = [];
  const opened = {
    clock: systemClock,
    onWarning: (message: string): void => void warnings.push(message),
  };
  const secrets = tls.openSecrets(opened);
  return { ...files, warnings, certificate: openCertificate({ ...tls, secrets, ...opened }) };
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  readonly body: string;
}

/** A connection over HTTP/2 that ends with the test. */
export function connectHttp2(url: string, options: SecureContextOptions): ClientHttp2Session {
  const session = connect(url.replace('127.0.0.1', 'localhost'), options);
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

/** Which certificate a new connection is shown. */
export async function fingerprintOf(url: string, ca: string): Promise<string> {
  const { port } = new URL(url);
  const to = { host: '127.0.0.1', port: Number(port) };
  const socket = connectTls({ ...to, servername: 'localhost', ca });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

/** Rejects if the stream is reset. */
export async function ask(
  session: ClientHttp2Session,
  path: string,
  { body, ...headers }: OutgoingHttpHeaders & { readonly body?: string } = {},
): Promise<Http2Answer> {
  const stream = session.request({ ':path': path, ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const answer = Promise.withResolvers<Http2Answer['headers']>();
  stream.once('response', answer.resolve);
  stream.once('error', answer.reject);
  stream.once('close', () => answer.reject(new Error(`closed with ${stream.rstCode}`)));
  const found = await answer.promise;
  return { status: Number(found[':status']), headers: found, body: await text(stream) };
}
