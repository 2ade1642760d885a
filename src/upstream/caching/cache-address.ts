/** `REDIS_URL` → where Redis is, and how to get in. */
import { ConfigurationError } from '../../errors.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: Record<string, never>;
}

/** @throws ConfigurationError, which does not repeat what may contain a password. */
export function addressOfRedis(text: string): RedisAddress {
  const url = URL.parse(text);
  const username = decoded(url?.username);
  const password = decoded(url?.password);
  if (url === null || !isUsable(url) || username === undefined || password === undefined) {
    throw new ConfigurationError(
      'REDIS_URL: what it holds cannot be used. Use redis://127.0.0.1:6379, or rediss:// for TLS, with user:password@ before the host and /1 for a database where needed.',
    );
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || 6379,
    db: Number(url.pathname.slice(1)),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
}

function isUsable({ protocol, hostname, pathname, search, hash }: URL): boolean {
  const isRedis = protocol === 'redis:' || protocol === 'rediss:';
  return isRedis && hostname !== '' && /^\/?\d{0,4}$/.test(pathname) && search + hash === '';
}

function decoded(text = ''): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
