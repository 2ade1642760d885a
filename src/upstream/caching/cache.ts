/** Caching: what operations may keep of their answers, across requests and, with Redis, processes. */
import type { Clock } from '../../clock.ts';
import type { Operation } from '../../dsl/operation.ts';
import { UpstreamError } from '../../errors.ts';
import { entryOfFailure, entryOfReply, keepMsOf, replay, worthOf } from './cache-entry.ts';
import type { Entry, Worth } from './cache-entry.ts';
import { AbortSource } from '../../signal.ts';
import type { CacheStore, Found } from './cache-store.ts';
import type { Call, Policy, Reply } from '../call.ts';
import { callError, isShareable } from '../call.ts';
import { keyOf } from '../sharing/key.ts';
import { untilAborted } from '../../own-signal.ts';

export interface CacheOptions {
  readonly store: CacheStore;
  readonly clock: Clock;
  /** Where an operation's answers come from: its route and its service's addresses. */
  readonly originOf?: (operation: Operation) => string;
  /** Told why an answer could not be refreshed in the background: no request fails of it. */
  readonly onRefreshError: (error: unknown, call: Call) => void;
}

/** A call and what the store had for it. */
interface Visit extends Found {
  readonly call: Call;
  readonly key: string;
}

/** An entry that can be used, more or less. */
interface Recalled {
  readonly worth: Exclude<Worth, 'none'>;
  readonly entry: Entry;
  readonly reply: Reply;
}

/**
 * Answers calls of operations that have a `cache` from its store while that is fresh; afterwards, within
 * the operation's limits, while it is refreshed or when a call fails.
 *
 * A refresh has its own life: no client's leaving ends it, and its deadline is the operation's
 * `timeoutMs`. One is under way for an entry at a time, and none follows a failed one in that time.
 */
export function cache(options: CacheOptions): Policy {
  const { look, recall, keepReply, keepFailure } = memoryOf(options);
  const { store, clock, onRefreshError } = options;
  return (next) => {
    return (call) => {
      return call.operation.cache !== undefined && isShareable(call) ? answer(call) : next(call);
    };

    async function answer(call: Call): Promise<Reply> {
      call.signal.throwIfAborted();
      const visit = await look(call);
      // After a write of the same request, what was kept may be what the write has changed.
      const recalled = call.fresh === true ? undefined : recall(visit);
      if (recalled?.worth === 'fresh') return { ...recalled.reply, cache: 'hit' };
      if (recalled?.worth !== 'refresh') return ask(visit, recalled);
      void refresh(visit, recalled.entry);
      return { ...recalled.reply, cache: 'stale' };
    }

    async function ask(visit: Visit, old: Recalled | undefined): Promise<Reply> {
      try {
        return { ...(await fetch(visit)), cache: 'miss' };
      } catch (error) {
        if (old === undefined || visit.call.signal.aborted || !isOutage(error)) throw error;
        return { ...old.reply, cache: 'stale' };
      }
    }

    async function refresh({ call, ...known }: Visit, entry: Entry): Promise<void> {
      const { timeoutMs } = call.operation.policies;
      // It names this entry: when that is replaced, nobody has to give the claim back.
      if (!(await store.claim(`${known.key} ${entry.storedAt}`, timeoutMs))) return;
      const signal = new AbortSource();
      const cancelTimer = clock.after(timeoutMs, () =>
        signal.abort(callError(call, 'timeout', `was not refreshed within ${timeoutMs} ms`)),
      );
      const createdAt = clock.now();
      const own = {
        ...call,
        signal,
        createdAt,
        deadlineAt: createdAt + timeoutMs,
        waiters: [],
        twins: [],
      };
      try {
        await fetch({ ...known, call: own });
      } catch (error) {
        onRefreshError(error, call);
      } finally {
        cancelTimer();
      }
    }

    async function fetch(visit: Visit): Promise<Reply> {
      try {
        // What left before an invalidation is not joined by what comes after it.
        const key = `${visit.key} ${visit.versions.join(' ')}`;
        const reply = await next({ ...visit.call, key });
        // Who asked keeps it; who joined need not do so again.
        if (reply.deduplicated !== true) keepReply(visit, reply);
        return reply;
      } catch (error) {
        keepFailure(visit, error);
        throw error;
      }
    }
  };
}

/** The store in terms of calls and replies. */
function memoryOf({ store, clock, originOf = () => '' }: CacheOptions) {
  return { look, recall, keepReply, keepFailure };

  async function look(call: Call): Promise<Visit> {
    const key = `${keyOf(call)} ${originOf(call.operation)}`;
    const found = store.get(key, call.operation.cache?.tags ?? []);
    const known = found instanceof Promise ? await untilAborted(found, call.signal) : found;
    return { ...known, call, key };
  }

  /** @throws UpstreamError when it is a failure that is remembered. */
  function recall({ entry, call }: Visit): Recalled | undefined {
    if (entry === undefined) return undefined;
    const now = clock.epoch();
    const worth = worthOf(entry, now);
    if (worth === 'none') return undefined;
    try {
      return { worth, entry, reply: replay(call, entry, now) };
    } catch (error) {
      // Kept by another version of the gateway, in which the operation had another schema.
      if (error instanceof UpstreamError && error.kind === 'invalid-body') return undefined;
      throw error;
    }
  }

  function keepReply(visit: Visit, reply: Reply): void {
    const entry = entryOfReply(visit.call, reply, clock.epoch());
    if (entry === undefined) forget(visit);
    else keep(visit, entry);
  }

  function keepFailure(visit: Visit, error: unknown): void {
    const entry = entryOfFailure(visit.call, error, clock.epoch());
    if (entry !== undefined) keep(visit, entry);
    else if (isVerdict(error)) forget(visit);
  }

  /** Nobody waits for it. */
  function keep({ key, versions }: Visit, entry: Entry): void {
    void store.set(key, entry, { versions, keepMs: keepMsOf(entry) });
  }

  function forget({ key, entry }: Visit): void {
    if (entry !== undefined) void store.delete(key);
  }
}

/** The service could not answer, which says nothing about what it answered before. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status = 0 } = error;
  if (kind === 'status') return status < 400 || status > 499;
  return kind !== 'invalid-argument' && kind !== 'aborted' && kind !== 'missing';
}

/** The service has answered that there is nothing, or nothing for this client: what it gave before is void. */
function isVerdict(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status = 0 } = error;
  const asksForPatience = status === 408 || status === 429;
  return (
    kind === 'missing' || (kind === 'status' && status >= 400 && status < 500 && !asksForPatience)
  );
}
