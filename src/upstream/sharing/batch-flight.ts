/** One request for several keys, and the loads that wait for them. */
import { isComplete, keyText, resultOf, toKept } from '../../dsl/lookup.ts';
import type { Lookup } from '../../dsl/lookup.ts';
import { toError } from '../../errors.ts';
import { frozen } from '../../frozen.ts';
import type { Call, Dispatch, Reply, Send } from '../call.ts';
import { callError } from '../call.ts';
import { cacheControlOf, fieldOf, parseValue } from '../exchange/parse.ts';
import { Flight } from './coalesce.ts';
import type { Carrier, Load } from './load.ts';

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
export class BatchFlight extends Flight implements Carrier {
  readonly #lookup: Lookup;
  readonly #call: Call;
  readonly #names: Map<string, BatchFlight>;
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

  constructor(call: Call, lookup: Lookup, names: Map<string, BatchFlight>) {
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
