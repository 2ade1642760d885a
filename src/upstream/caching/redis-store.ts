/** Answers shared by all processes of a gateway: the door to ioredis. */
import { hash, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { parseJson } from '../../json.ts';
import type { Entry } from './cache-entry.ts';
import { watchRedis } from './cache-link.ts';
import { isSameVersions } from './cache-store.ts';
import type { CacheStore, Found } from './cache-store.ts';
import { createMemoryStore } from './memory-store.ts';

/** Where a Redis is, and how to get in. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** Present: over TLS. */
  readonly tls?: Record<string, never>;
}

export interface RedisStoreOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
}

/** By default a client waits for seconds, for a server that hangs as for one that is not there. */
const impatient = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  autoResendUnfulfilledCommands: false,
  commandTimeout: 50,
  connectTimeout: 500,
  disconnectTimeout: 100,
  // A connection whose other end has vanished; counted only while an answer is owed.
  socketTimeout: 5_000,
  retryStrategy: (attempts: number) => Math.min(100 * attempts, 1_000),
  lazyConnect: true,
} satisfies RedisOptions;

/** Ends tags that no operation has any more; for the others it only means to ask anew. */
const tagMs = 31 * 24 * 60 * 60 * 1_000;
/** Larger answers would hold up the small ones behind them for longer than a call waits: they are not kept. */
const mostCharacters = 128 * 1_024;
/** What an answer may have, and what is around it. */
const mostDepth = 64 + 4;

const times = {
  storedAt: z.number(),
  freshForMs: z.number(),
  refreshForMs: z.number(),
  fallbackForMs: z.number(),
};
const headers = z.record(z.string(), z.union([z.string(), z.array(z.string())]));
const outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reply'), status: z.number(), headers, raw: z.unknown() }),
  z.object({ kind: z.literal('status'), status: z.number() }),
  z.object({ kind: z.literal('missing') }),
]);
const keptSchema = z.object({
  versions: z.array(z.string()),
  entry: z.object({ ...times, outcome }),
});

/**
 * Opens a store in Redis; that it cannot be reached is no failure.
 *
 * While Redis does not answer in time, this process keeps answers by itself, and asks every second whether
 * Redis is back: no call waits for it meanwhile. When it is, what was kept here is dropped, since others
 * may have invalidated it. What this process could not tell Redis during that time is not made up for.
 *
 * @throws ConfigurationError when `url` is not the URL of a Redis.
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<CacheStore> {
  const { clock } = options;
  const redis = new Redis({ ...options.address, ...impatient });
  const local = createMemoryStore({ clock });
  const link = watchRedis(redis, { ...options, onBack: local.clear });
  await link.open();

  return {
    get: (key, tags) =>
      link.use(
        () => find(redis, key, tags),
        () => local.get(key, tags),
      ),
    set: (key, entry, keep) =>
      link.use(
        async () => {
          const text = toText(entry, keep.versions);
          if (text.length > mostCharacters) return;
          await redis.set(nameOf('entry', key), text, 'PX', wholeMs(keep.keepMs));
        },
        () => local.set(key, entry, keep),
      ),
    delete: (key) =>
      link.use(
        async () => void (await redis.del(nameOf('entry', key))),
        () => local.delete(key),
      ),
    claim: (key, forMs) =>
      link.use(
        async () =>
          (await redis.set(nameOf('claim', key), '1', 'PX', wholeMs(forMs), 'NX')) === 'OK',
        () => local.claim(key, forMs),
      ),
    async invalidate(tags) {
      await local.invalidate(tags);
      if (tags.length === 0) return 0;
      try {
        return await redis.del(...tags.map((tag) => nameOf('tag', tag)));
      } catch (error) {
        throw new Error('Redis cannot be reached, so what it keeps was not invalidated', {
          cause: error,
        });
      }
    },
    async close() {
      await link.close();
      await local.close();
    },
  };
}

/** The entry and the versions of its tags, in one exchange; tags that have no version get one. */
async function find(redis: Redis, key: string, tags: readonly string[]): Promise<Found> {
  const names = tags.map((tag) => nameOf('tag', tag));
  if (names.length === 0) {
    return toFound(await redis.get(nameOf('entry', key)), []);
  }
  const exchange = redis.pipeline();
  for (const name of names) exchange.set(name, randomUUID(), 'PX', tagMs, 'NX');
  exchange.mget(nameOf('entry', key), ...names);
  const results = (await exchange.exec()) ?? [];
  for (const [error] of results) if (error) throw error;
  const [, values] = results.at(-1) ?? [];
  const [text, ...versions] = z.array(z.string().nullable()).parse(values);
  return toFound(
    text,
    // Gone in between: like no other, so that nothing kept under it is found again.
    versions.map((version) => version ?? randomUUID()),
  );
}

function toFound(text: string | null | undefined, versions: readonly string[]): Found {
  const kept = typeof text === 'string' ? fromText(text) : undefined;
  const isCurrent = kept !== undefined && isSameVersions(kept.versions, versions);
  return { entry: isCurrent ? kept.entry : undefined, versions };
}

/** Another version of the gateway may have written it: what is not understood is not there. */
function fromText(text: string) {
  try {
    return keptSchema.safeParse(parseJson(text, mostDepth)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function toText(entry: Entry, versions: readonly string[]): string {
  const { outcome: whole } = entry;
  const { kind } = whole;
  if (kind !== 'reply') return JSON.stringify({ versions, entry });
  const { status, headers: own, raw } = whole;
  return JSON.stringify({
    versions,
    entry: { ...entry, outcome: { kind, status, headers: own, raw } },
  });
}

/**
 * The format's version is in the name: another one finds nothing, instead of something it misreads. The
 * rest is a hash, since keys are shown by many tools and arguments are in them.
 */
export function nameOf(kind: 'entry' | 'tag' | 'claim', key: string): string {
  return `plait:2:${kind}:${hash('sha256', key, 'base64url')}`;
}

function wholeMs(ms: number): number {
  return Math.max(1, Math.ceil(ms));
}
