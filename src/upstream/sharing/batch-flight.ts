/** One request to a service for several lookup keys, from the first load that joins to its end. */
import { toKept } from '../../dsl/lookup-result.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import { toError } from '../../errors.ts';
import type { UpstreamError } from '../../errors.ts';
import { frozen } from '../../frozen.ts';
import type { Call, Caller, Callers, Dispatch, OnJoin, Reply, Send } from '../call.ts';
import { matchOf, noItems, none } from '../exchange/match.ts';
import type { Match } from '../exchange/match.ts';
import { strayIn, valueFor } from './batch-answer.ts';
import type { Answer } from './batch-answer.ts';
import { Flight } from './flight.ts';
import type { Asked, Carrier, Load, LoadKey } from './load.ts';

/** From this many keys on, keys are found by a table instead of by comparing them all. */
const manyKeys = 16;

/**
 * One request for several keys, and the loads that wait for them. Its keys are stored in parallel
 * lists, by their position in the batch: an object for each key would be most of what a page of
 * lookups allocates.
 */
export class BatchFlight extends Flight implements Carrier {
  readonly #lookup: Lookup;
  readonly #call: Call;
  readonly #names: Map<string, BatchFlight>;
  #texts: string[] = [];
  #foundBy: string[] = [];
  #keys: unknown[] = [];
  /** For each key, the first load that has asked for it, and its index in that load. */
  #loads: Load[] = [];
  #indexes: number[] = [];
  /** For each key that several loads have asked for, all but the first. */
  #others: Map<number, LoadKey[]> | undefined;
  #table: Map<string, number> | undefined;
  #last: Load | undefined;
  #isSent = false;
  #onJoin: OnJoin | undefined;
  #hasLost = false;
  #latest = 0;

  /** Whether it is a part of a rejected batch, which other loads cannot join. */
  readonly isPart: boolean;
  /** The number of keys that were sent. */
  #width: number | undefined;

  constructor(call: Call, lookup: Lookup, names: Map<string, BatchFlight>, isPart = false) {
    super();
    this.#call = call;
    this.#lookup = lookup;
    this.#names = names;
    this.isPart = isPart;
  }

  get lookup(): Lookup {
    return this.#lookup;
  }

  /** The number of keys in its request: less than `size` if loads have left before it was sent. */
  get width(): number {
    return this.#width ?? this.size;
  }

  get size(): number {
    return this.#texts.length;
  }

  get operation(): Call['operation'] {
    return this.#call.operation;
  }

  get createdAt(): number {
    return this.#call.createdAt;
  }

  get deadlineAt(): number {
    return this.#latest;
  }

  /** Whether it is not sent yet, so that every load may join it. */
  get isOpen(): boolean {
    return !this.#isSent;
  }

  override mayBeJoined(call: Call, now: number): boolean {
    return this.isOpen || super.mayBeJoined(call, now);
  }

  /** Adds a key that is not in the batch yet. */
  add(load: Load, index: number): void {
    const name = load.names[index] ?? '';
    this.#texts.push(load.texts[index] ?? '');
    this.#foundBy.push(name);
    this.#keys.push(load.keys[index]);
    this.#loads.push(load);
    this.#indexes.push(index);
    this.#names.set(name, this);
    this.#take(load);
  }

  /** Adds a load to a key that is in the batch. */
  addTo(load: Load, index: number): void {
    const position = this.#positionOf(load.texts[index] ?? '');
    const others = (this.#others ??= new Map()).get(position);
    if (others === undefined) this.#others.set(position, [{ load, index }]);
    else others.push({ load, index });
    this.#take(load);
  }

  /** Counts a load as one caller, however many of its keys are added: they come in succession. */
  #take(load: Load): void {
    if (this.#last === load) return;
    this.#last = load;
    this.join();
    load.carriedBy(this);
    if (!this.#isSent) this.#latest = Math.max(this.#latest, load.call.deadlineAt);
  }

  #positionOf(text: string): number {
    if (this.#texts.length < manyKeys) return this.#texts.indexOf(text);
    if (this.#table === undefined || this.#table.size < this.#texts.length)
      this.#table = new Map(this.#texts.map((one, position) => [one, position]));
    return this.#table.get(text) ?? -1;
  }

  flightFor({ load, index }: LoadKey): Callers | undefined {
    const keys = this.#loadsAt(this.#positionOf(load.texts[index] ?? ''));
    return keys.some((key) => key.load === load && key.index === index) ? this : undefined;
  }

  override leave(load: Load): void {
    this.#hasLost = true;
    this.#joinFollowersOf(load);
    super.leave(load);
  }

  waiting(): readonly Call[] {
    return this.#texts.flatMap((_, position) =>
      this.#loadsAt(position).flatMap(({ load, index }) => load.callersAt(index)),
    );
  }

  #loadsAt(position: number): readonly LoadKey[] {
    const [load, index] = [this.#loads[position], this.#indexes[position]];
    if (load === undefined || index === undefined) return [];
    return [{ load, index }, ...(this.#others?.get(position) ?? [])];
  }

  /**
   * Settles all keys, unless the request fails: then it resolves with the error, and its loads wait
   * until `fail`, `serveNone` or their parts settle them. Never rejects. `onJoin` is called for the
   * followers of its keys as well, which have not joined by themselves.
   */
  async send(next: Send<Dispatch>, onJoin?: OnJoin): Promise<Error | undefined> {
    this.#isSent = true;
    this.#onJoin = onJoin;
    const keys = this.#hasLost ? this.#wantedKeys() : this.#keys;
    this.#width = keys.length;
    if (keys.length === 0 || this.aborted) return this.end();
    const call = this.#liveCall();
    const own = { signal: this, deadlineAt: this.#latest, callers: this, keys, tried: this.tried };
    try {
      const reply = await next({ ...call, ...own, isPatient: this.isPart });
      // Replies of the parser have been matched already.
      const { match = matchOf(this.#lookup, { keys, items: reply.value }) } = reply;
      this.#joinFollowersOf();
      this.#distribute(reply, match);
      return this.end();
    } catch (error) {
      this.forget();
      this.#joinFollowersOf();
      return toError(error);
    }
  }

  /** Of one load, or of all: before they go on. */
  #joinFollowersOf(only?: Load): void {
    if (this.#onJoin === undefined) return;
    for (let position = 0; position < this.#loads.length; position += 1) {
      const [load, index] = [this.#loads[position], this.#indexes[position]];
      if (load !== undefined && index !== undefined) this.#joinFollowersAt({ load, index }, only);
      for (const key of this.#others?.get(position) ?? []) this.#joinFollowersAt(key, only);
    }
  }

  #joinFollowersAt({ load, index }: LoadKey, only: Load | undefined): void {
    if (only !== undefined && only !== load) return;
    for (const follower of load.followersAt(index)) this.#onJoin?.(follower.load.call, this);
  }

  /** Its unsettled keys, grouped by the client requests that wait for them. */
  shares(): readonly (readonly LoadKey[])[] {
    const shares = new Map<Caller, LoadKey[]>();
    for (let position = 0; position < this.#texts.length; position += 1)
      for (const key of this.#loadsAt(position)) {
        if (key.load.isSettled(key.index)) continue;
        const { caller } = key.load.call;
        const share = shares.get(caller);
        if (share === undefined) shares.set(caller, [key]);
        else share.push(key);
      }
    return [...shares.values()];
  }

  /** Makes a batch for some of its keys. */
  part(keys: readonly LoadKey[]): BatchFlight {
    const names = new Map<string, BatchFlight>();
    const part = new BatchFlight(keys[0]?.load.call ?? this.#call, this.#lookup, names, true);
    for (const { load, index } of keys) {
      if (names.has(load.names[index] ?? '')) part.addTo(load, index);
      else part.add(load, index);
    }
    return part;
  }

  /** The keys that a load still waits for. The others are forgotten, so no load joins them. */
  #wantedKeys(): readonly unknown[] {
    return this.#keys.filter((_, position) => {
      const isWanted = this.#loadsAt(position).some(isWaiting);
      if (!isWanted) this.#forgetAt(position);
      return isWanted;
    });
  }

  #liveCall(): Call {
    return this.#hasLost ? (this.waiting()[0] ?? this.#call) : this.#call;
  }

  /** Settles every key with its items, in whatever order they are; other items are ignored. */
  #distribute({ status, headers }: Pick<Reply, 'status' | 'headers'>, match: Match): void {
    this.forget();
    const reply: Reply = { status, headers, value: undefined, raw: undefined };
    // Some keys were not sent if their loads have left before.
    const items = match.inOrder?.length === this.#texts.length ? match.inOrder : undefined;
    const byKey = items === undefined ? this.#byKey(match) : undefined;
    // An item or error without a readable key cannot be matched to any caller.
    const stray = strayIn(this.#lookup, byKey, match.failed);
    const shared = this.#others && { ...reply, deduplicated: true };
    for (let position = 0; position < this.#texts.length; position += 1) {
      const found = items ? [items[position]] : (byKey?.get(this.#texts[position]) ?? none);
      const failedAs = match.failed.get(this.#texts[position]);
      this.#serve(position, { found, failedAs, stray, reply, shared });
    }
  }

  #byKey({ inOrder, found }: Match): Match['found'] {
    return inOrder === undefined ? found : Map.groupBy(inOrder, this.#lookup.textOfItem);
  }

  #serve(position: number, answer: Answer): void {
    const [load, index] = [this.#loads[position], this.#indexes[position]];
    if (load === undefined || index === undefined) return;
    const others = this.#others?.get(position);
    const { found, reply, shared } = answer;
    try {
      const value = valueFor(this.#call, this.#lookup, answer);
      if (others !== undefined) frozen(value);
      const raw = toKept(this.#lookup, found);
      const heir = load.isSettled(index) ? others?.find(isWaiting) : undefined;
      load.settle(index, value, reply, raw);
      const joined = shared ?? reply;
      for (const other of others ?? []) {
        const own = other === heir ? { ...joined, takesOver: true } : joined;
        other.load.settle(other.index, value, own, raw);
      }
    } catch (error) {
      for (const one of this.#loadsAt(position)) one.load.fail(one.index, error);
    }
  }

  /** Settles all keys as missing, after a 404. */
  serveNone({ cacheControl }: UpstreamError): void {
    const headers = cacheControl === undefined ? {} : { 'cache-control': cacheControl };
    this.#distribute({ status: 404, headers }, noItems);
    this.end();
  }

  /** Fails all that its loads would have asked for in one request on their own. */
  failRelated(reason: Error, isOneRequest: (asked: Asked) => boolean): void {
    for (let position = 0; position < this.#texts.length; position += 1)
      for (const { load } of this.#loadsAt(position))
        if (isOneRequest({ load, indexes: load.related })) load.failRelated(reason);
  }

  /** Fails all keys, but for those of the loads in `spared`. */
  fail(reason: Error, spared?: ReadonlySet<Load>): void {
    this.forget();
    for (let position = 0; position < this.#texts.length; position += 1)
      for (const { load, index } of this.#loadsAt(position))
        if (spared?.has(load) !== true) load.fail(index, reason);
    this.end();
  }

  protected forget(): void {
    for (let position = 0; position < this.#foundBy.length; position += 1) this.#forgetAt(position);
  }

  #forgetAt(position: number): void {
    const name = this.#foundBy[position] ?? '';
    if (this.#names.get(name) === this) this.#names.delete(name);
  }

  /** Drops its loads: finished requests would keep each other in memory through shared batches. */
  end(): undefined {
    this.forget();
    this.#loads = [];
    this.#others = undefined;
    this.#last = undefined;
  }
}

function isWaiting({ load, index }: LoadKey): boolean {
  return !load.isSettled(index);
}
