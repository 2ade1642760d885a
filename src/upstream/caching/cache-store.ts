/** Where answers are kept: what the cache asks of a store. */
import type { Entry } from './cache-entry.ts';

/**
 * Keeps entries. A store never fails a call: one that cannot be reached keeps and finds less.
 *
 * A tag is a name with a version, a random one. An entry belongs to the versions its tags had when its
 * call was made, and is found while they are current. To invalidate is to drop versions: nobody has to
 * know which entries there are, nor are answers kept that were under way meanwhile.
 */
export interface CacheStore {
  /** What is kept under `key`, if it belongs to the current versions of `tags`. */
  get(key: string, tags: readonly string[]): Found | Promise<Found>;
  /** Keeps `entry` for at most `keepMs`. */
  set(key: string, entry: Entry, options: KeepOptions): void | Promise<void>;
  delete(key: string): void | Promise<void>;
  /**
   * Drops everything with one of `tags`; the number of those under which something may have been kept.
   *
   * @throws Error when a part of the store cannot be reached: what is kept there remains.
   */
  invalidate(tags: readonly string[]): Promise<number>;
  /** Whether nobody has claimed `key` in the last `forMs` of that claim. */
  claim(key: string, forMs: number): boolean | Promise<boolean>;
  close(): Promise<void>;
}

export interface Found {
  readonly entry: Entry | undefined;
  /** Those of the tags asked with, in their order: for `set`. */
  readonly versions: readonly string[];
}

export interface KeepOptions {
  /** What `get` said before the call was made. */
  readonly versions: readonly string[];
  readonly keepMs: number;
}

export function isSameVersions(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((version, index) => version === others[index]);
}
