/** A store in the memory of this process. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { stringifyJson } from '../../json.ts';
import { LRUCache } from '../../lru.ts';
import type { Entry } from './cache-entry.ts';
import { isSameVersions } from './cache-store.ts';
import type { CacheStore, Found } from './cache-store.ts';

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Default 10,000. */
  readonly mostEntries?: number;
  /** The size of keys and answers as JSON; as objects they take four times that. Default 64 MiB. */
  readonly mostBytes?: number;
}

export interface MemoryStore extends CacheStore {
  get(key: string, tags: readonly string[]): Found;
  claim(key: string, forMs: number): boolean;
  readonly entries: number;
  readonly bytes: number;
  clear(): void;
}

interface StoredEntry {
  readonly entry: Entry;
  readonly versions: readonly string[];
  /** On the monotonic scale of the clock, which is never set back. */
  readonly expiresAt: number;
}

/** When it is full, it drops the least recently used entries. */
export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  const { clock, mostEntries = 10_000, mostBytes = 64 * 1024 * 1024 } = options;
  const entries = new LRUCache<string, StoredEntry>({ max: mostEntries, maxSize: mostBytes });
  const claims = new LRUCache<string, number>({ max: mostEntries });
  // Not limited: operations declare only a few tags.
  const versions = new Map<string, string>();

  return {
    get(key, tags) {
      const current = tags.map(versionOf);
      const known = entries.get(key);
      if (known === undefined) return { entry: undefined, versions: current };
      const isCurrent = clock.now() < known.expiresAt && isSameVersions(known.versions, current);
      if (!isCurrent) entries.delete(key);
      return { entry: isCurrent ? known.entry : undefined, versions: current };
    },
    set(key, entry, { keepMs, ...rest }) {
      const expiresAt = clock.now() + keepMs;
      entries.set(key, { entry, versions: rest.versions, expiresAt }, { size: sizeOf(key, entry) });
    },
    delete(key) {
      entries.delete(key);
    },
    async invalidate(tags) {
      return tags.filter((tag) => versions.delete(tag)).length;
    },
    claim(key, forMs) {
      const now = clock.now();
      if (now < (claims.get(key) ?? -Infinity)) return false;
      claims.set(key, now + forMs);
      return true;
    },
    async close() {
      clear();
    },
    get entries() {
      return entries.size;
    },
    get bytes() {
      return entries.calculatedSize;
    },
    clear,
  };

  function versionOf(tag: string): string {
    const version = versions.get(tag) ?? randomUUID();
    versions.set(tag, version);
    return version;
  }

  function clear(): void {
    entries.clear();
    claims.clear();
    versions.clear();
  }
}

function sizeOf(key: string, { outcome }: Entry): number {
  const json = outcome.kind === 'reply' ? (stringifyJson(outcome.raw) ?? '') : '';
  return Buffer.byteLength(key) + Buffer.byteLength(json) + 1;
}
