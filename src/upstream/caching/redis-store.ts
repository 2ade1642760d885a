/** A store in Redis, shared by all processes of a gateway. */
import { hash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { parseJson, stringifyJson } from '../../json.ts';
import { createRedis } from '../../redis.ts';
import type { Redis, RedisAddress } from '../../redis.ts';
import { watchRedis } from '../../redis-link.ts';
import { NotUtf8Error, utf8Text } from '../../utf8.ts';
import { storedHeaders } from './cache-entry.ts';
import type { Entry } from './cache-entry.ts';
import { isSameVersions } from './cache-store.ts';
import type { CacheStore, Found } from './cache-store.ts';
import { createMemoryStore } from './memory-store.ts';

export interface RedisStoreOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
  readonly onReturn?: ((message: string) => void) | undefined;
}

/**
 * The beginning of every name in Redis. It has the version of the format, so that gateways with
 * another format find nothing instead of misreading entries.
 */
const namespace = 'plait:4';

/** Removes tags that are not in use any more. If it removes others, their entries are lost. */
const tagMs = 31 * 24 * 60 * 60 * 1_000;
/** Larger entries are not stored: those behind them would time out (head-of-line blocking). */
const mostCharacters = 128 * 1_024;
/** The deepest answer that an operation can allow, and the entry around it. */
const mostDepth = 1_000 + 4;

// Only what `toText` writes; whether the operation could have stored it is checked by `isOwn`.
const time = z.number().min(0);
const header = z.union([z.string(), z.array(z.string())]).optional();
const headers = z.strictObject(
  Object.fromEntries(storedHeaders.map((name) => [name, header] as const)),
);
const outcome = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('reply'),
    status: z
      .int()
      .min(200)
      .max(299)
      .or(z.literal([404, 410])),
    headers,
    // Absent if the answer had no body and the schema calls that `undefined`.
    raw: z.unknown().default(undefined),
  }),
  z.strictObject({ kind: z.literal('status'), status: z.literal([404, 410]) }),
  z.strictObject({ kind: z.literal('missing') }),
]);
const times = { storedAt: time, freshForMs: time, refreshForMs: time, fallbackForMs: time };
const storedSchema = z.strictObject({
  /** Where it is stored: an entry that was copied to another name is not used. */
  name: z.string(),
  versions: z.array(z.string()),
  entry: z.strictObject({ ...times, outcome }),
});

/**
 * Opens a store in Redis, even if Redis cannot be reached.
 *
 * While Redis does not answer in time, entries are stored in this process, and Redis is probed
 * every second: no call waits for it meanwhile. When Redis is back, the entries in this process
 * are dropped, since other processes may have invalidated them. They are not copied to Redis.
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<CacheStore> {
  const { clock } = options;
  const redis = createRedis(options.address);
  const local = createMemoryStore({ clock });
  const link = watchRedis(redis, {
    ...options,
    probe: `${namespace}:probe`,
    meanwhile: 'answers are cached in this process',
    onBack: local.clear,
  });
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
          const name = redisName('entry', key);
          const text = toText(entry, { name, versions: keep.versions });
          // The entry before it would go on being served.
          if (text.length > mostCharacters) await redis.del(name);
          else await redis.set(name, text, 'PX', wholeMs(keep.keepMs));
        },
        () => local.set(key, entry, keep),
      ),
    delete: (key) =>
      link.use(
        async () => void (await redis.del(redisName('entry', key))),
        () => local.delete(key),
      ),
    claim: (key, forMs) =>
      link.use(
        async () =>
          (await redis.set(redisName('claim', key), '1', 'PX', wholeMs(forMs), 'NX')) === 'OK',
        () => local.claim(key, forMs),
      ),
    async invalidate(tags) {
      await local.invalidate(tags);
      if (tags.length === 0) return 0;
      try {
        return await redis.del(...tags.map((tag) => redisName('tag', tag)));
      } catch (error) {
        throw new Error('Redis cannot be reached, so its entries were not invalidated', {
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

/** Reads an entry and its tags' versions in one round trip. Tags without a version get one. */
async function find(redis: Redis, key: string, tags: readonly string[]): Promise<Found> {
  const name = redisName('entry', key);
  const tagNames = tags.map((tag) => redisName('tag', tag));
  if (tagNames.length === 0) {
    // Not `GET`, which fails for a name under which something else than text was stored.
    const [text] = await redis.mgetBuffer(name);
    return toFound(text, { name, versions: [] });
  }
  const commands = redis.pipeline();
  for (const tag of tagNames) commands.set(tag, randomUUID(), 'PX', tagMs, 'NX');
  commands.mgetBuffer(name, ...tagNames);
  const results = (await commands.exec()) ?? [];
  for (const [error] of results) if (error) throw error;
  const [, values] = results.at(-1) ?? [];
  const [text, ...versions] = z.array(z.instanceof(Buffer).nullable()).parse(values);
  return toFound(text, {
    name,
    // A version that was dropped in between is replaced by a new one, under which nothing is found.
    versions: versions.map((version) => version?.toString() ?? randomUUID()),
  });
}

/** The facts for which an entry was stored. */
interface Place {
  readonly name: string;
  readonly versions: readonly string[];
}

function toFound(bytes: Buffer | null | undefined, { name, versions }: Place): Found {
  const stored = bytes ? fromBytes(bytes) : undefined;
  const isCurrent = stored?.name === name && isSameVersions(stored.versions, versions);
  return { entry: isCurrent ? stored.entry : undefined, versions };
}

/** Parses an entry; `undefined` for anything but what `toText` writes. */
function fromBytes(bytes: Buffer) {
  // In UTF-8, a character of UTF-16 takes at most three bytes.
  if (bytes.length > 3 * mostCharacters) return undefined;
  try {
    const text = utf8Text(bytes);
    if (text.length > mostCharacters) return undefined;
    return storedSchema.safeParse(parseJson(text, mostDepth)).data;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof NotUtf8Error) return undefined;
    throw error;
  }
}

function toText(entry: Entry, { name, versions }: Place): string {
  const { outcome: whole } = entry;
  const { kind } = whole;
  if (kind !== 'reply') return stringifyJson({ name, versions, entry });
  const { status, headers: own, raw } = whole;
  return stringifyJson({
    name,
    versions,
    entry: { ...entry, outcome: { kind, status, headers: own, raw } },
  });
}

/**
 * A name in Redis. The key is hashed, since it contains arguments and many tools show names.
 */
export function redisName(kind: 'entry' | 'tag' | 'claim', key: string): string {
  return `${namespace}:${kind}:${hash('sha256', key, 'base64url')}`;
}

function wholeMs(ms: number): number {
  return Math.max(1, Math.ceil(ms));
}
