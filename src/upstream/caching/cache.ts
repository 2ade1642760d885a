/** Caching: answers that operations may keep, across requests and, with Redis, processes. */
import type { Clock } from '../../clock.ts';
import type { Operation } from '../../dsl/operation.ts';
import { UpstreamError } from '../../errors.ts';
import { untilAborted } from '../../own-signal.ts';
import { AbortSource } from '../../signal.ts';
import type { Call, Policy, Reply } from '../call.ts';
import { callError } from '../call.ts';
import { keyOfItem } from '../sharing/key.ts';
import { Load, indexesUpTo } from '../sharing/load.ts';
import type { LoadOptions, LoadPolicy } from '../sharing/load.ts';
import { entryOfFailure, entryOfReply, keepMsOf, replay, worthOf } from './cache-entry.ts';
import type { Entry, Worth } from './cache-entry.ts';
import type { CacheStore, Found } from './cache-store.ts';

export interface CacheOptions {
  readonly store: CacheStore;
  readonly clock: Clock;
  /** Where an operation's answers come from: its route and its service's addresses. */
  readonly originOf?: (operation: Operation) => string;
  /** Told why an answer could not be refreshed in the background: no request fails of it. */
  readonly onRefreshError: (error: unknown, call: Call) => void;
}

/** A call, or one key of a load, and what the store had for it. */
interface Kept extends Found {
  readonly call: Call;
  readonly key: string;
}

/** An entry that can be used, more or less. */
interface Recalled {
  readonly worth: Exclude<Worth, 'none'>;
  readonly entry: Entry;
  readonly reply: Reply;
}

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

type Memory = ReturnType<typeof memoryOf>;

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

function cacheLoads(options: CacheOptions, memory: Memory): LoadPolicy {
  const { look, recall, keepReply, keepFailure } = memory;
  return (next) => {
    return function sendLoadCached(load, indexes) {
      const by = load.call.operation.lookup?.by;
      if (load.call.operation.cache === undefined || by === undefined) return next(load, indexes);
      const found = indexes.map((index) =>
        look(load.call, keyOfItem(load.call, by, load.texts[index] ?? '')),
      );
      if (isAllThere(found)) return answer(load, indexes, found);
      Promise.all(found).then(
        (known) => answer(load, indexes, known),
        (error: unknown) => load.failAll(indexes, error),
      );
    };

    function answer(load: Load, indexes: readonly number[], found: readonly Kept[]): void {
      if (load.call.signal.aborted) return; // while the store was asked: its keys have failed
      const missed: Missed[] = [];
      const stale: Stale[] = [];
      for (const [at, known] of found.entries()) {
        const index = indexes[at] ?? 0;
        try {
          const recalled = recall(known);
          if (recalled === undefined || recalled.worth === 'fallback')
            missed.push({ index, known, recalled });
          else if (recalled.worth === 'fresh')
            load.settle(index, recalled.reply.value, { ...recalled.reply, cache: 'hit' });
          else {
            load.settle(index, recalled.reply.value, { ...recalled.reply, cache: 'stale' });
            stale.push({ index, known, entry: recalled.entry });
          }
        } catch (error) {
          load.fail(index, error); // a failure that is remembered
        }
      }
      if (missed.length > 0) send(new KeptLoad(load, missed, { keepReply, keepFailure }));
      if (stale.length > 0) void refresh(load, stale);
    }

    function send(load: Load): void {
      next(load, indexesUpTo(load.keys.length));
    }

    async function refresh(load: Load, stale: readonly Stale[]): Promise<void> {
      const claims = await Promise.all(stale.map(({ known, entry }) => memory.claim(known, entry)));
      const mine = stale.filter((_, at) => claims[at] === true);
      if (mine.length === 0) return;
      const own = refreshOf(load.call, options.clock);
      const refreshed = new Refresh(own.call, load, mine, { keepReply, keepFailure });
      send(refreshed);
      const { failures = new Map<number, unknown>() } = await refreshed.done;
      own.cancelTimer();
      for (const error of failures.values()) options.onRefreshError(error, load.call);
    }
  };
}

/** A store in this process answers at once. */
function isAllThere(found: readonly (Kept | Promise<Kept>)[]): found is readonly Kept[] {
  return found.every((one) => !(one instanceof Promise));
}

/** A key of a load that has to be asked for. */
interface Missed {
  readonly index: number;
  readonly known: Kept;
  /** May be used when the service fails. */
  readonly recalled: Recalled | undefined;
}

/** A key of a load that was answered, and has to be asked for all the same. */
interface Stale {
  readonly index: number;
  readonly known: Kept;
  readonly entry: Entry;
}

type Keep = Pick<Memory, 'keepReply' | 'keepFailure'>;

/** Keys of a load, with their call. */
function keysOf(
  call: Call,
  { keys, texts }: Load,
  chosen: readonly { readonly index: number; readonly known: Kept }[],
): LoadOptions {
  const own = chosen.map(({ index }) => texts[index] ?? '');
  return {
    call,
    keys: chosen.map(({ index }) => keys[index]),
    texts: own,
    names: chosen.map(({ known }, at) => versioned(own[at] ?? '', known)),
  };
}

/** A load whose answers are kept. */
class Refresh extends Load {
  readonly #known: readonly Kept[];
  readonly #keep: Keep;

  constructor(
    call: Call,
    load: Load,
    chosen: readonly { readonly index: number; readonly known: Kept }[],
    keep: Keep,
  ) {
    super(keysOf(call, load, chosen));
    this.#known = chosen.map(({ known }) => ({ ...known, call }));
    this.#keep = keep;
  }

  override settle(at: number, value: unknown, reply: Reply, raw: unknown): void {
    const known = this.#known[at];
    // Only the load that went upstream stores the reply.
    if (known !== undefined && !this.isSettled(at) && reply.deduplicated !== true)
      this.#keep.keepReply(known, { ...reply, value, raw });
    super.settle(at, value, reply, raw);
  }

  override fail(at: number, error: unknown): void {
    const known = this.#known[at];
    if (known !== undefined && !this.isSettled(at)) this.#keep.keepFailure(known, error);
    super.fail(at, error);
  }
}

/** The keys of a load that were not kept: what they get, the load gets. */
class KeptLoad extends Refresh {
  readonly #load: Load;
  readonly #missed: readonly Missed[];

  constructor(load: Load, missed: readonly Missed[], keep: Keep) {
    super(load.call, load, missed, keep);
    this.#load = load;
    this.#missed = missed;
  }

  override settle(at: number, value: unknown, reply: Reply, raw: unknown): void {
    super.settle(at, value, reply, raw);
    const { index = -1 } = this.#missed[at] ?? {};
    this.#load.settle(index, value, { ...reply, cache: 'miss' });
  }

  override fail(at: number, error: unknown): void {
    super.fail(at, error);
    const { index = -1, recalled } = this.#missed[at] ?? {};
    if (recalled === undefined || this.call.signal.aborted || !isOutage(error))
      return this.#load.fail(index, error);
    this.#load.settle(index, recalled.reply.value, { ...recalled.reply, cache: 'stale' });
  }

  override callersAt(at: number): readonly Call[] {
    const { index = -1 } = this.#missed[at] ?? {};
    return this.#load.callersAt(index);
  }
}

/** The same call with a life of its own, as long as an attempt may take. */
function refreshOf(call: Call, clock: Clock): { call: Call; cancelTimer: () => void } {
  const { timeoutMs } = call.operation.policies;
  const signal = new AbortSource();
  const cancelTimer = clock.after(timeoutMs, () =>
    signal.abort(callError(call, 'timeout', `was not refreshed within ${timeoutMs} ms`)),
  );
  const createdAt = clock.now();
  const deadlineAt = createdAt + timeoutMs;
  return { call: { ...call, signal, createdAt, deadlineAt, followers: [] }, cancelTimer };
}

/** A call that left before an invalidation is not joined by calls that come after it. */
function versioned(key: string, { versions }: Found): string {
  return versions.length === 0 ? key : `${key} ${versions.join(' ')}`;
}

/** The store in terms of calls and replies. */
function memoryOf({ store, clock, originOf = () => '' }: CacheOptions) {
  return { look, recall, claim, keepReply, keepFailure };

  /** `ofCall`: see `keyOf`. */
  function look(call: Call, ofCall: string): Kept | Promise<Kept> {
    const key = `${ofCall} ${originOf(call.operation)}`;
    const found = store.get(key, call.operation.cache?.tags ?? []);
    return found instanceof Promise
      ? found.then((known) => ({ ...known, call, key }))
      : { ...found, call, key };
  }

  /** @throws UpstreamError when it is a failure that is remembered. */
  function recall({ entry, call }: Kept): Recalled | undefined {
    // After a write of the same request, the entry may be what the write has changed.
    if (entry === undefined || call.afterWrite) return undefined;
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

  /** It names this entry: when that is replaced, nobody has to give the claim back. */
  function claim({ call, key }: Kept, { storedAt }: Entry): boolean | Promise<boolean> {
    return store.claim(`${key} ${storedAt}`, call.operation.policies.timeoutMs);
  }

  function keepReply(known: Kept, reply: Reply): void {
    const entry = entryOfReply(known.call, reply, clock.epoch());
    if (entry === undefined) forget(known);
    else keep(known, entry);
  }

  function keepFailure(known: Kept, error: unknown): void {
    const entry = entryOfFailure(known.call, error, clock.epoch());
    if (entry !== undefined) keep(known, entry);
    else if (isVerdict(error)) forget(known);
  }

  /** Nobody waits for it. */
  function keep({ key, versions }: Kept, entry: Entry): void {
    void store.set(key, entry, { versions, keepMs: keepMsOf(entry) });
  }

  function forget({ key, entry }: Kept): void {
    if (entry !== undefined) void store.delete(key);
  }
}

/** The service could not answer, which says nothing about its earlier answers. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status = 0 } = error;
  if (kind === 'status') return status < 400 || status > 499;
  return kind !== 'invalid-argument' && kind !== 'aborted' && kind !== 'missing';
}

/** The service has answered that there is nothing, or nothing for this client: its earlier answer is void. */
function isVerdict(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status = 0 } = error;
  const asksForPatience = status === 408 || status === 429;
  return (
    kind === 'missing' || (kind === 'status' && status >= 400 && status < 500 && !asksForPatience)
  );
}
