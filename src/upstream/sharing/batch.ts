/** Batching: loads of one turn of the event loop, of whatever requests, become few requests. */
import DataLoader from 'dataloader';
import type { Clock } from '../../clock.ts';
import { isComplete, keyText, resultOf, toKept } from '../../dsl/lookup.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import { toError } from '../../errors.ts';
import { frozen } from '../../frozen.ts';
import { runAtMost } from '../../limit.ts';
import type { Call, Dispatch, Reply, Send } from '../call.ts';
import { callError } from '../call.ts';
import { cacheControlOf, fieldOf, parseValue } from '../exchange/parse.ts';
import { Flight } from './coalesce.ts';
import type { Carrier, Load, SendLoad } from './load.ts';

/** Keys of a load that have to be asked for. */
interface Asked {
  readonly load: Load;
  readonly indexes: readonly number[];
}

/** Loads that differ in nothing but their keys: those being collected, and those under way. */
interface Lane {
  readonly loader: DataLoader<Asked, Asked>;
  /** By the names of their keys. */
  readonly underWay: Map<string, Batch>;
  collecting: number;
}

/**
 * Collects the loads of all requests that differ in nothing but their keys, and sends
 * `ceil(distinct keys / max)` requests for them. A key that is under way already is joined instead.
 *
 * DataLoader does the collecting: a load is one of its keys, its batch ends when `batchScheduleFn`
 * says so, and its batch function packs all distinct keys into requests and hands the loads out at
 * once, each to be settled key by key: no load waits for the requests of another. Its own cache is off:
 * a hit there is answered with the batch that is open just then, which may wait for somebody else's keys.
 *
 * A batch is sent by `setImmediate`: requests that arrived in the same turn are each read by a callback
 * of their own, and the loads these start are only complete when the turn ends.
 *
 * At most `mostKeys` are under way at once; beyond that keys fail with the kind `overloaded`.
 */
export function batch(clock: Clock, next: Send<Dispatch>, mostKeys = 50_000): SendLoad {
  /** By the key that their loads' calls have in common. */
  const lanes = new Map<string, Lane>();
  let keys = 0;

  function openLane(name: string, lookup: Lookup): Lane {
    const loader = new DataLoader<Asked, Asked>((asked) => send(lane, name, asked), {
      cache: false,
      batchScheduleFn(dispatch) {
        if (lookup.windowMs === 0) setImmediate(dispatch);
        else clock.after(lookup.windowMs, dispatch);
      },
    });
    const lane: Lane = { loader, underWay: new Map(), collecting: 0 };
    lanes.set(name, lane);
    return lane;
  }

  /** Never rejects: the errors of a request are those of its keys. */
  async function send(
    lane: Lane,
    name: string,
    asked: readonly Asked[],
  ): Promise<readonly Asked[]> {
    let collected = 0;
    for (const { indexes } of asked) collected += indexes.length;
    lane.collecting -= collected;
    const batches = pack(lane, asked, collected);
    for (const { size } of batches) keys += size;
    keys -= collected;
    const [first] = batches;
    if (first === undefined) closeWhenIdle(lane, name);
    else {
      const { concurrency } = first.operation.service.bulkhead;
      // A page of a thousand keys is not to take all places of a service.
      runAtMost(
        Math.ceil(concurrency / 2),
        batches.map((one) => async () => {
          await one.send(next);
          keys -= one.size;
          closeWhenIdle(lane, name);
        }),
      );
    }
    return asked;
  }

  function closeWhenIdle(lane: Lane, name: string): void {
    if (lane.collecting === 0 && lane.underWay.size === 0 && lanes.get(name) === lane)
      lanes.delete(name);
  }

  return function sendBatched(load, indexes) {
    const { key: name = '', operation } = load.call;
    const { lookup } = operation;
    if (lookup === undefined || load.call.signal.aborted) return;
    const lane = lanes.get(name) ?? openLane(name, lookup);
    const rest = operation.coalesce ? joinThoseUnderWay(lane, load, indexes, clock) : indexes;
    const room = Math.max(0, mostKeys - keys);
    const taken = rest.length <= room ? rest : rest.slice(0, room);
    if (taken.length < rest.length) {
      const message = `has ${mostKeys} different calls in flight`;
      load.failAll(rest.slice(room), callError(load.call, 'overloaded', message));
    }
    if (taken.length === 0) return closeWhenIdle(lane, name);
    keys += taken.length;
    lane.collecting += taken.length;
    void lane.loader.load({ load, indexes: taken });
  };
}

/** The keys that are not under way, or must not be waited for. */
function joinThoseUnderWay(
  { underWay }: Lane,
  load: Load,
  indexes: readonly number[],
  clock: Clock,
): readonly number[] {
  if (underWay.size === 0) return indexes;
  const now = clock.now();
  // Most loads join with all of their keys, or with none.
  let rest: number[] | undefined;
  for (let at = 0; at < indexes.length; at += 1) {
    const index = indexes[at] ?? 0;
    const known = underWay.get(load.names[index] ?? '');
    const isJoined = known?.mayBeJoined(load.call, now) === true;
    if (isJoined) {
      known.addTo(load, index);
      rest ??= indexes.slice(0, at);
    } else rest?.push(index);
  }
  return rest ?? indexes;
}

/** Distinct keys, `max` to a batch, in the order of their loads. */
function pack(lane: Lane, asked: readonly Asked[], count: number): readonly Batch[] {
  const [first] = asked;
  const lookup = first?.load.call.operation.lookup;
  if (first === undefined || lookup === undefined) return [];
  const isFound = first.load.call.operation.coalesce;
  const names = isFound ? lane.underWay : new Map<string, Batch>();
  // Where one batch is not enough, no small load is to wait behind a large one.
  const inOrder =
    count <= lookup.max ? asked : asked.toSorted((a, b) => a.indexes.length - b.indexes.length);
  const batches: Batch[] = [];
  for (const { load, indexes } of inOrder) {
    for (const index of indexes) {
      if (load.isSettled(index)) continue;
      const known = names.get(load.names[index] ?? '');
      if (known?.isOpen === true) known.addTo(load, index);
      else batchWithRoom(batches, lookup, { load, names }).add(load, index);
    }
  }
  return batches;
}

/** The last of `batches`, or another one when that is full. */
function batchWithRoom(
  batches: Batch[],
  lookup: Lookup,
  { load, names }: { readonly load: Load; readonly names: Map<string, Batch> },
): Batch {
  const last = batches.at(-1);
  if (last !== undefined && last.size < lookup.max) return last;
  const opened = new Batch(load.call, lookup, names);
  batches.push(opened);
  return opened;
}

/** A key of a load that waits for its item. */
interface Place {
  readonly load: Load;
  readonly index: number;
}

/** From this many keys on, a key of a batch is found by a table. */
const manyKeys = 16;

/**
 * One request for several keys, and the loads that wait for them. The keys' places are kept in lists
 * side by side: an object for each would be most of what a page allocates.
 */
class Batch extends Flight implements Carrier {
  readonly #lookup: Lookup;
  readonly #call: Call;
  readonly #names: Map<string, Batch>;
  #texts: string[] = [];
  #foundBy: string[] = [];
  #keys: unknown[] = [];
  /** Of each key, the first load that asks for it, and where. */
  #loads: Load[] = [];
  #indexes: number[] = [];
  /** Of each key, the others. */
  #others: Map<number, Place[]> | undefined;
  #table: Map<string, number> | undefined;
  #last: Load | undefined;
  #isSent = false;
  #hasLost = false;
  #latest = 0;

  constructor(call: Call, lookup: Lookup, names: Map<string, Batch>) {
    super();
    this.#call = call;
    this.#lookup = lookup;
    this.#names = names;
  }

  get size(): number {
    return this.#texts.length;
  }

  get operation(): Call['operation'] {
    return this.#call.operation;
  }

  get deadlineAt(): number {
    return this.#latest;
  }

  /** Not sent yet, so that every load may join it. */
  get isOpen(): boolean {
    return !this.#isSent;
  }

  override mayBeJoined(call: Call, now: number): boolean {
    return this.isOpen || super.mayBeJoined(call, now);
  }

  /** A key nobody has asked for. */
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

  /** A key that is in it. */
  addTo(load: Load, index: number): void {
    const seat = this.#seatOf(load.texts[index] ?? '');
    const others = (this.#others ??= new Map()).get(seat);
    if (others === undefined) this.#others.set(seat, [{ load, index }]);
    else others.push({ load, index });
    this.#take(load);
  }

  /** Once for each load: its keys come one after the other. */
  #take(load: Load): void {
    if (this.#last === load) return;
    this.#last = load;
    this.join();
    load.carriedBy(this);
    if (!this.#isSent) this.#latest = Math.max(this.#latest, load.call.deadlineAt);
  }

  #seatOf(text: string): number {
    if (this.#texts.length < manyKeys) return this.#texts.indexOf(text);
    if (this.#table === undefined || this.#table.size < this.#texts.length)
      this.#table = new Map(this.#texts.map((one, seat) => [one, seat]));
    return this.#table.get(text) ?? -1;
  }

  override leave(load: Load): void {
    this.#hasLost = true;
    super.leave(load);
  }

  waiting(): readonly Call[] {
    return this.#texts.flatMap((_, seat) =>
      this.#placesAt(seat).flatMap(({ load, index }) => load.callersAt(index)),
    );
  }

  #placesAt(seat: number): readonly Place[] {
    const [load, index] = [this.#loads[seat], this.#indexes[seat]];
    if (load === undefined || index === undefined) return [];
    return [{ load, index }, ...(this.#others?.get(seat) ?? [])];
  }

  /** Never rejects. */
  async send(next: Send<Dispatch>): Promise<void> {
    this.#isSent = true;
    const keys = this.#hasLost ? this.#wantedKeys() : this.#keys;
    if (keys.length === 0 || this.aborted) return this.#end();
    const call = this.#liveCall();
    try {
      const own = { signal: this, deadlineAt: this.#latest, callers: this, keys, tried: [] };
      this.#distribute(await next({ ...call, ...own }));
    } catch (error) {
      this.#fail(toError(error));
    } finally {
      this.#end();
    }
  }

  /** The keys somebody still waits for; nobody finds the others under way. */
  #wantedKeys(): readonly unknown[] {
    return this.#keys.filter((_, seat) => {
      const isWanted = this.#placesAt(seat).some(({ load, index }) => !load.isSettled(index));
      if (!isWanted) this.#forgetSeat(seat);
      return isWanted;
    });
  }

  #liveCall(): Call {
    return this.#hasLost ? (this.waiting()[0] ?? this.#call) : this.#call;
  }

  /** Gives every key its items. Their order, and items nobody asked for, do not matter. */
  #distribute({ status, headers, value }: Reply): void {
    this.forget();
    const { by } = this.#lookup;
    const items = value as readonly unknown[]; // the parser of replies gives lookups a list
    const reply: Reply = { status, headers, value: undefined, raw: undefined };
    const inOrder = isInOrder(items, this.#texts, by);
    const byKey = inOrder ? undefined : Map.groupBy(items, (item) => keyText(fieldOf(item, by)));
    // An item without a readable key cannot be matched to any caller.
    const strays = byKey?.has(undefined) ?? false;
    const shared = this.#others && { ...reply, deduplicated: true };
    for (let seat = 0; seat < this.#texts.length; seat += 1) {
      const found = inOrder ? [items[seat]] : (byKey?.get(this.#texts[seat]) ?? none);
      this.#serve(seat, { found, strays, reply, shared });
    }
  }

  #serve(seat: number, answer: Answer): void {
    const [load, index] = [this.#loads[seat], this.#indexes[seat]];
    if (load === undefined || index === undefined) return;
    const others = this.#others?.get(seat);
    const { found, reply, shared } = answer;
    try {
      const value = valueFor(this.#call, this.#lookup, answer);
      if (others !== undefined) frozen(value);
      const raw = toKept(this.#lookup, found);
      load.settle(index, value, reply, raw);
      for (const other of others ?? []) other.load.settle(other.index, value, shared ?? reply, raw);
    } catch (error) {
      for (const place of this.#placesAt(seat)) place.load.fail(place.index, error);
    }
  }

  #fail(reason: Error): void {
    this.forget();
    for (let seat = 0; seat < this.#texts.length; seat += 1)
      for (const { load, index } of this.#placesAt(seat)) load.fail(index, reason);
  }

  protected forget(): void {
    for (let seat = 0; seat < this.#foundBy.length; seat += 1) this.#forgetSeat(seat);
  }

  #forgetSeat(seat: number): void {
    const name = this.#foundBy[seat] ?? '';
    if (this.#names.get(name) === this) this.#names.delete(name);
  }

  /** Lets go of its loads: finished requests would hold each other through the batches they shared. */
  #end(): void {
    this.forget();
    this.#loads = [];
    this.#others = undefined;
    this.#last = undefined;
  }
}

const none: readonly unknown[] = [];

/** Whether there is one item for each key, in the order in which they were asked for. */
function isInOrder(items: readonly unknown[], texts: readonly string[], by: string): boolean {
  if (items.length !== texts.length) return false;
  for (let index = 0; index < items.length; index += 1)
    if (keyText(fieldOf(items[index], by)) !== texts[index]) return false;
  return true;
}

/** The answer to one key. */
interface Answer {
  readonly found: readonly unknown[];
  readonly strays: boolean;
  readonly reply: Reply;
  /** For those who joined. */
  readonly shared: Reply | undefined;
}

function valueFor(call: Call, lookup: Lookup, { found, strays, reply }: Answer): unknown {
  const { status, headers } = reply;
  if (strays && !isComplete(lookup, found)) {
    const message = `answered with an item that has no readable "${lookup.by}"`;
    throw callError(call, 'invalid-body', message);
  }
  const value = resultOf(lookup, found, (item) =>
    parseValue(call, call.operation.response, item, status),
  );
  if (value !== undefined) return value;
  throw callError(call, 'missing', 'answered without an item for the key', cacheControlOf(headers));
}
