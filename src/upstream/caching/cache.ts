/** Caching: answers that operations may keep, across requests and, with Redis, processes. */
import { untilAborted } from '../../own-signal.ts';
import type { Call, Policy, Reply } from '../call.ts';
import type { LoadPolicy } from '../sharing/load.ts';
import { cacheLoads } from './cache-loads.ts';
import type { Entry } from './cache-entry.ts';
import { isOutage, memoryOf, refreshOf, versioned } from './memory.ts';
import type { CacheOptions, Kept, Memory, Recalled } from './memory.ts';

/** Caching of calls, and of loads key by key: both over one store. */
export interface Caching {
  readonly call: Policy;
  readonly load: LoadPolicy;
}

/**
 * Answers operations that have a `cache` from its store while that is fresh; afterwards, within the
 * operation's limits, while it is refreshed or when a call fails. Of a load, the keys that are not kept
 * go on together.
 *
 * A refresh has its own life: no client's leaving ends it, and its deadline is the operation's
 * `timeoutMs`. One is under way for an entry at a time, and none follows a failed one in that time.
 */
export function cache(options: CacheOptions): Caching {
  const memory = memoryOf(options);
  return { call: cacheCalls(options, memory), load: cacheLoads(options, memory) };
}

function cacheCalls(options: CacheOptions, memory: Memory): Policy {
  const { look, recall, keepReply, keepFailure } = memory;
  return (next) => {
    return function sendCached(call) {
      return call.operation.cache !== undefined && call.key !== undefined
        ? answer(call, call.key)
        : next(call);
    };

    async function answer(call: Call, key: string): Promise<Reply> {
      call.signal.throwIfAborted();
      const found = look(call, key);
      const known = found instanceof Promise ? await untilAborted(found, call.signal) : found;
      const recalled = recall(known);
      if (recalled?.worth === 'fresh') return { ...recalled.reply, cache: 'hit' };
      if (recalled?.worth !== 'refresh') return ask(known, recalled);
      void refresh(known, recalled.entry);
      return { ...recalled.reply, cache: 'stale' };
    }

    async function ask(known: Kept, old: Recalled | undefined): Promise<Reply> {
      try {
        return { ...(await fetch(known)), cache: 'miss' };
      } catch (error) {
        if (old === undefined || known.call.signal.aborted || !isOutage(error)) throw error;
        return { ...old.reply, cache: 'stale' };
      }
    }

    async function refresh(known: Kept, entry: Entry): Promise<void> {
      if (!(await memory.claim(known, entry))) return;
      const own = refreshOf(known.call, options.clock);
      try {
        await fetch({ ...known, call: own.call });
      } catch (error) {
        options.onRefreshError(error, known.call);
      } finally {
        own.cancelTimer();
      }
    }

    async function fetch(known: Kept): Promise<Reply> {
      try {
        const reply = await next({ ...known.call, key: versioned(known.key, known) });
        // Only the call that went upstream stores the reply.
        if (reply.deduplicated !== true) keepReply(known, reply);
        return reply;
      } catch (error) {
        keepFailure(known, error);
        throw error;
      }
    }
  };
}
