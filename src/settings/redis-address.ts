/** `REDIS_URL` → where Redis is, and how to get in. */
import type { RedisAddress } from '../redis.ts';

/** `undefined` when `text` is not the URL of a Redis. */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  const url = URL.parse(text);
  const username = decoded(url?.username);
  const password = decoded(url?.password);
  if (url === null || !isRedis(url) || username === undefined || password === undefined) {
    return undefined;
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

function isRedis({ protocol, hostname, pathname, search, hash }: URL): boolean {
  const hasProtocol = protocol === 'redis:' || protocol === 'rediss:';
  return hasProtocol && hostname !== '' && /^\/?\d{0,4}$/.test(pathname) && search + hash === '';
}

function decoded(text = ''): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
