/** The certificates of a service's connections, as they are now. */
import { createSecureContext } from 'node:tls';
import type { TlsConfig } from '../../dsl/tls.ts';
import type { Secret, Secrets } from './secrets.ts';

/** The texts of one moment, in PEM form, as `node:tls` takes them. */
export interface TlsTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

export interface Tls {
  /**
   * The texts now: the same object until one of them has changed. While a certificate and its key
   * do not belong together, since one of two files has changed, they are those from before.
   */
  texts(): TlsTexts;
}

export function createTls(config: TlsConfig, secrets: Secrets): Tls {
  const find = secretsOf(config, secrets);
  let current = read(find, config);
  /** The latest texts that were looked at. */
  let seen = current;
  return {
    texts() {
      const now = read(find, config);
      if (isSame(now, seen)) return current;
      seen = now;
      if (!isSame(now, current) && pairProblem(now) === undefined) current = now;
      return current;
    },
  };
}

/** Why certificate and key cannot be used; `undefined` if they can, or there are none. */
export function tlsProblem(config: TlsConfig, secrets: Secrets): string | undefined {
  return pairProblem(read(secretsOf(config, secrets), config));
}

function pairProblem({ cert, key }: TlsTexts): string | undefined {
  if (cert === undefined || key === undefined) return undefined;
  try {
    createSecureContext({ cert, key });
    return undefined;
  } catch {
    // The error of OpenSSL may quote a part of them.
    return 'tls.cert and tls.key do not belong together';
  }
}

type Names = 'ca' | 'cert' | 'key';

function secretsOf(config: TlsConfig, secrets: Secrets): Partial<Record<Names, Secret>> {
  const { ca, cert, key } = config;
  return {
    ...(ca && { ca: secrets(ca) }),
    ...(cert && { cert: secrets(cert) }),
    ...(key && { key: secrets(key) }),
  };
}

function read(
  { ca, cert, key }: Partial<Record<Names, Secret>>,
  { serverName }: TlsConfig,
): TlsTexts {
  return {
    ...(ca && { ca: ca.text() }),
    ...(cert && { cert: cert.text() }),
    ...(key && { key: key.text() }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

function isSame(one: TlsTexts, other: TlsTexts): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key;
}
