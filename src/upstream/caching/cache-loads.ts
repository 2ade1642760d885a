/** Caching of loads: key by key; the keys that are not kept go on together. */
import type { Call, Reply } from '../call.ts';
import { keyOfItem } from '../sharing/key.ts';
import { Load, indexesUpTo } from '../sharing/load.ts';
import type { LoadOptions, LoadPolicy } from '../sharing/load.ts';
import type { Entry } from './cache-entry.ts';
import { isOutage, refreshOf, versioned } from './memory.ts';
import type { CacheOptions, Kept, Memory, Recalled } from './memory.ts';

export function cacheLoads(options: CacheOptions, memory: Memory): LoadPolicy {
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
