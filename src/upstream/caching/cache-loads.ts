/** Caching of loads, key by key; the keys that are not in the store go on together. */
import { keyShape } from '../../dsl/lookup-by.ts';
import type { Call, Callers, Reply } from '../call.ts';
import { keyOfItem } from '../sharing/key.ts';
import { Load, indexesUpTo } from '../sharing/load.ts';
import type { Carrier, LoadKey, LoadOptions, LoadPolicy } from '../sharing/load.ts';
import type { Entry } from './cache-entry.ts';
import { isOutage, isToBeStored, refreshOf, versioned } from './entries.ts';
import type { CacheOptions, CacheRead, Entries, Usable } from './entries.ts';

export function cacheLoads(options: CacheOptions, entries: Entries): LoadPolicy {
  const { read, usableIn, storeReply, storeFailure } = entries;
  return (next) => {
    return function sendLoadCached(load, indexes) {
      const { key, operation, conceals } = load.call;
      if (operation.cache === undefined || key === undefined) return next(load, indexes);
      const shape = operation.lookup && keyShape(operation.lookup);
      const readings = indexes.map((index) =>
        read(load.call, keyOfItem(key, shaped(load.texts[index] ?? '', shape), conceals)),
      );
      if (areSynchronous(readings)) return answer(load, indexes, readings);
      Promise.all(readings).then(
        (reads) => answer(load, indexes, reads),
        (error: unknown) => load.failAll(indexes, error),
      );
    };

    function answer(load: Load, indexes: readonly number[], reads: readonly CacheRead[]): void {
      if (load.call.signal.aborted) return; // while the store was read: its keys have failed
      const missed: Missed[] = [];
      const stale: Stale[] = [];
      for (const [at, found] of reads.entries()) {
        const index = indexes[at] ?? 0;
        try {
          const usable = usableIn(found);
          if (usable === undefined || usable.state === 'stale-if-error')
            missed.push({ index, found, stale: usable });
          else if (usable.state === 'fresh')
            load.settle(index, usable.reply.value, { ...usable.reply, cache: 'hit' });
          else {
            load.settle(index, usable.reply.value, { ...usable.reply, cache: 'stale' });
            stale.push({ index, found, entry: usable.entry });
          }
        } catch (error) {
          load.fail(index, error); // a stored failure
        }
      }
      if (missed.length > 0) send(new MissedLoad(load, missed, { storeReply, storeFailure }));
      if (stale.length > 0) void refresh(load, stale);
    }

    function send(load: Load): void {
      next(load, indexesUpTo(load.keys.length));
    }

    async function refresh(load: Load, stale: readonly Stale[]): Promise<void> {
      const claims = await Promise.all(
        stale.map(({ found, entry }) => entries.claim(found, entry)),
      );
      const mine = stale.filter((_, at) => claims[at] === true);
      if (mine.length === 0) return;
      const own = refreshOf(load.call, options.clock);
      const refreshed = new StoringLoad(own.call, load, mine, { storeReply, storeFailure });
      send(refreshed);
      const { failures = new Map<number, unknown>() } = await refreshed.done;
      own.cancelTimer();
      for (const error of failures.values()) options.onRefreshError(error, load.call);
    }
  };
}

/** The text of a key, so that one made by other options is not taken for it. */
function shaped(text: string, shape: string | undefined): string {
  return shape === undefined ? text : `${shape} ${text}`;
}

/** Whether the store has answered synchronously, as one in memory does. */
function areSynchronous(
  readings: readonly (CacheRead | Promise<CacheRead>)[],
): readings is readonly CacheRead[] {
  return readings.every((reading) => !(reading instanceof Promise));
}

/** A key of a load, and the store's answer for it. */
interface KeyRead {
  readonly index: number;
  readonly found: CacheRead;
}

/** A key that has to go to the service. */
interface Missed extends KeyRead {
  /** The entry to use if the service fails (stale-if-error). */
  readonly stale: Usable | undefined;
}

/** A key that was answered by a stale entry, which has to be refreshed. */
interface Stale extends KeyRead {
  readonly entry: Entry;
}

type Storing = Pick<Entries, 'storeReply' | 'storeFailure'>;

/** The options of a load for some keys of another. */
function optionsFor(call: Call, { keys, texts }: Load, chosen: readonly KeyRead[]): LoadOptions {
  const own = chosen.map(({ index }) => texts[index] ?? '');
  return {
    call,
    keys: chosen.map(({ index }) => keys[index]),
    texts: own,
    names: chosen.map(({ found }, at) => versioned(own[at] ?? '', found)),
  };
}

/** A load for some keys of another, whose answers go into the store. */
class StoringLoad extends Load {
  readonly #reads: readonly CacheRead[];
  readonly #storing: Storing;

  constructor(call: Call, load: Load, chosen: readonly KeyRead[], storing: Storing) {
    super(optionsFor(call, load, chosen));
    this.#reads = chosen.map(({ found }) => ({ ...found, call }));
    this.#storing = storing;
  }

  override settle(at: number, value: unknown, reply: Reply, raw: unknown): void {
    const found = this.#reads[at];
    if (found !== undefined && !this.isSettled(at) && isToBeStored(reply))
      this.#storing.storeReply(found, { ...reply, value, raw });
    super.settle(at, value, reply, raw);
  }

  override fail(at: number, error: unknown): void {
    const found = this.#reads[at];
    if (found !== undefined && !this.isSettled(at)) this.#storing.storeFailure(found, error);
    super.fail(at, error);
  }
}

/** The keys of a load that were not in the store; their results are passed on to the load. */
class MissedLoad extends StoringLoad implements Carrier {
  readonly #load: Load;
  readonly #missed: readonly Missed[];

  constructor(load: Load, missed: readonly Missed[], storing: Storing) {
    super(load.call, load, missed, storing);
    this.#load = load;
    this.#missed = missed;
    load.carriedBy(this);
  }

  /** Its own keys fail by themselves when the request is over. */
  leave(): void {}

  flightFor({ load, index }: LoadKey): Callers | undefined {
    const at = this.#missed.findIndex((one) => load === this.#load && one.index === index);
    return at === -1 ? undefined : this.flightOf(at);
  }

  override settle(at: number, value: unknown, reply: Reply, raw: unknown): void {
    super.settle(at, value, reply, raw);
    const { index = -1 } = this.#missed[at] ?? {};
    this.#load.settle(index, value, { ...reply, cache: 'miss' });
  }

  override fail(at: number, error: unknown): void {
    super.fail(at, error);
    const { index = -1, stale } = this.#missed[at] ?? {};
    if (stale === undefined || this.call.signal.aborted || !isOutage(error))
      return this.#load.fail(index, error);
    this.#load.settle(index, stale.reply.value, { ...stale.reply, cache: 'stale' });
  }

  override callersAt(at: number): readonly Call[] {
    const { index = -1 } = this.#missed[at] ?? {};
    return this.#load.callersAt(index);
  }

  override followersAt(at: number): readonly LoadKey[] {
    const { index = -1 } = this.#missed[at] ?? {};
    return this.#load.followersAt(index);
  }
}
