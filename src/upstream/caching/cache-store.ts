/** The interface of stores, in which the cache keeps its entries. */
import type { Entry } from './cache-entry.ts';

/**
 * Stores entries. A store never makes a call fail: if it cannot be reached, entries are not found
 * or not stored.
 *
 * Entries are invalidated by tags, each of which has a random version. An entry is stored with the
 * versions that its tags had when its call was made, and is found while these are current.
 * Invalidating a tag drops its version. So nobody needs a list of the entries with a tag, and an
 * answer that was under way during the invalidation is not found either.
 */
export interface CacheStore {
  /** The entry under `key`, if it was stored with the current versions of `tags`. */
  get(key: string, tags: readonly string[]): Found | Promise<Found>;
  /** Stores `entry` for at most `keepMs`. */
  set(key: string, entry: Entry, options: KeepOptions): void | Promise<void>;
  delete(key: string): void | Promise<void>;
  /**
   * Invalidates all entries with one of `tags`; resolves to the number of tags that had a version.
   *
   * @throws Error if a part of the store cannot be reached: its entries remain.
   */
  invalidate(tags: readonly string[]): Promise<number>;
  /** Claims `key` for `forMs`; false while another claim on it is live. */
  claim(key: string, forMs: number): boolean | Promise<boolean>;
  close(): Promise<void>;
}

export interface Found {
  readonly entry: Entry | undefined;
  /** The current versions of the tags, in the order of the tags; `set` needs them. */
  readonly versions: readonly string[];
}

export interface KeepOptions {
  /** The versions that `get` returned before the call was made. */
  readonly versions: readonly string[];
  readonly keepMs: number;
}

export function isSameVersions(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((version, index) => version === others[index]);
}
