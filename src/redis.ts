/** The door to ioredis: connections that give up at once when Redis does not answer. */
import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';

export type { Redis };

/** The address of a Redis, and the credentials for it. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** Present: over TLS. */
  readonly tls?: Record<string, never>;
}

/** With its defaults, the client waits for seconds when Redis hangs or cannot be reached. */
const impatient = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  autoResendUnfulfilledCommands: false,
  commandTimeout: 50,
  connectTimeout: 500,
  disconnectTimeout: 100,
  // Detects a connection whose other end has vanished; runs only while a reply is outstanding.
  socketTimeout: 5_000,
  retryStrategy: (attempts: number) => Math.min(100 * attempts, 1_000),
  lazyConnect: true,
} satisfies RedisOptions;

/**
 * Makes a connection of its own, which `watchRedis` opens: commands of one connection are answered
 * in order, so that those that have to be quick must not stand behind large ones.
 */
export function createRedis(address: RedisAddress): Redis {
  return new Redis({ ...address, ...impatient });
}
