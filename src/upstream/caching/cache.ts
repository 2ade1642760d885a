/** Caching: answers of operations are kept across client requests and, with Redis, processes. */
import { untilAborted } from '../../own-signal.ts';
import type { Call, Policy, Reply } from '../call.ts';
import type { LoadPolicy } from '../sharing/load.ts';
import { cacheLoads } from './cache-loads.ts';
import type { Entry } from './cache-entry.ts';
import { entriesIn, isOutage, isToBeStored, refreshOf, versioned } from './entries.ts';
import type { CacheOptions, CacheRead, Entries, Usable } from './entries.ts';

/** Caching of calls, and of loads key by key, in one store. */
export interface Caching {
  readonly call: Policy;
  readonly load: LoadPolicy;
}

/**
 * Answers calls of operations with a `cache` from the store: while the entry is fresh, and within
 * the limits of the operation while it is refreshed (stale-while-revalidate) or if the call fails
 * (stale-if-error). The keys of a load that are not in the store go on together.
 *
 * A refresh belongs to no client request: it does not end when a client disconnects, and its
 * deadline is the `timeoutMs` of the operation. Within that time, an entry is refreshed only once.
 */
export function cache(options: CacheOptions): Caching {
  const entries = entriesIn(options);
  return { call: cacheCalls(options, entries), load: cacheLoads(options, entries) };
}

function cacheCalls(options: CacheOptions, entries: Entries): Policy {
  const { read, usableIn, storeReply, storeFailure } = entries;
  return (next) => {
    return function sendCached(call) {
      return call.operation.cache !== undefined && call.key !== undefined
        ? answer(call, call.key)
        : next(call);
    };

    async function answer(call: Call, key: string): Promise<Reply> {
      call.signal.throwIfAborted();
      const reading = read(call, key);
      const found = reading instanceof Promise ? await untilAborted(reading, call.signal) : reading;
      const usable = usableIn(found);
      if (usable?.state === 'fresh') return { ...usable.reply, cache: 'hit' };
      if (usable?.state !== 'stale-while-revalidate') return ask(found, usable);
      void refresh(found, usable.entry);
      return { ...usable.reply, cache: 'stale' };
    }

    async function ask(found: CacheRead, stale: Usable | undefined): Promise<Reply> {
      try {
        return { ...(await fetch(found)), cache: 'miss' };
      } catch (error) {
        if (stale === undefined || found.call.signal.aborted || !isOutage(error)) throw error;
        return { ...stale.reply, cache: 'stale' };
      }
    }

    async function refresh(found: CacheRead, entry: Entry): Promise<void> {
      if (!(await entries.claim(found, entry))) return;
      const own = refreshOf(found.call, options.clock);
      try {
        await fetch({ ...found, call: own.call });
      } catch (error) {
        options.onRefreshError(error, found.call);
      } finally {
        own.cancelTimer();
      }
    }

    async function fetch(found: CacheRead): Promise<Reply> {
      try {
        const reply = await next({ ...found.call, key: versioned(found.key, found) });
        if (isToBeStored(reply)) storeReply(found, reply);
        return reply;
      } catch (error) {
        storeFailure(found, error);
        throw error;
      }
    }
  };
}
