/** A load: the keys that one step asks a lookup for, under way together. */
import { frozen } from '../../frozen.ts';
import type { Call, Callers, Reply } from '../call.ts';

/** Settles keys of a load later. */
export interface Carrier {
  /** Called when the load's request is over before those keys are settled. */
  leave(load: Load): void;
  /** The flight that a key of a load waits for, as far as it is known and the carrier's. */
  flightFor(key: LoadKey): Callers | undefined;
}

/** Sends the keys of a load at `indexes`. Never throws: if something goes wrong, the keys fail. */
export type SendLoad = (load: Load, indexes: readonly number[]) => void;

/** Wraps sending loads with something more. */
export type LoadPolicy = (next: SendLoad) => SendLoad;

/** One key of a load, by its index. */
export interface LoadKey {
  readonly load: Load;
  readonly index: number;
}

/** Some keys of a load. */
export interface Asked {
  readonly load: Load;
  readonly indexes: readonly number[];
}

export interface LoadOptions {
  /** The call that all keys have in common. */
  readonly call: Call;
  /** The keys as they were given. */
  readonly keys: readonly unknown[];
  /** The keys as text: equal keys have equal texts. */
  readonly texts: readonly string[];
  /** The names by which keys are found while they are under way. Default: `texts`. */
  readonly names?: readonly string[];
  /** Whether the step fails as soon as one key does, so that it need not wait for the others. */
  readonly failsAtOnce?: boolean;
}

/** Stands for a value that is not there yet. */
const unsettled = Symbol('unsettled');

const ignore = (): void => undefined;

const none: readonly LoadKey[] = [];

/**
 * A column of keys that becomes a column of values. However many keys it has, it needs only one
 * promise, one call and one abort listener. Keys are settled one by one: by an earlier load of the
 * same request, by a cache, by a batch that is under way, or by a batch of its own.
 */
export class Load {
  readonly call: Call;
  readonly keys: readonly unknown[];
  readonly texts: readonly string[];
  readonly names: readonly string[];
  /** The values of settled keys, by index; `undefined` for keys that have failed. */
  readonly values: unknown[];
  /** The replies that settled the keys, by index. They do not contain the keys' own values. */
  readonly replies: (Reply | undefined)[];
  /** The errors of failed keys, by index; the first entry is the first failure. */
  failures: Map<number, unknown> | undefined;
  /** Resolves when all keys are settled, with `failsAtOnce` at the first failure. Never rejects. */
  readonly done: Promise<Load>;
  #resolve: (load: Load) => void = ignore;
  readonly #failsAtOnce: boolean;
  #left: number;
  /** Keys that would be one request if nobody else asked for any. */
  #related: readonly number[] | undefined;
  #carriers: Carrier[] | undefined;
  #followers: Map<number, LoadKey[]> | undefined;

  constructor({ call, keys, texts, names = texts, failsAtOnce = false }: LoadOptions) {
    const { length } = keys;
    this.call = call;
    this.keys = keys;
    this.texts = texts;
    this.names = names;
    this.values = Array<unknown>(length).fill(unsettled);
    this.replies = Array<Reply | undefined>(length);
    this.failures = undefined;
    this.done = new Promise((resolve) => (this.#resolve = resolve));
    this.#failsAtOnce = failsAtOnce;
    this.#left = length;
    this.#carriers = undefined;
    this.#followers = undefined;
    if (call.signal.aborted) this.handleEvent();
    else call.signal.addEventListener('abort', this, { once: true });
    if (length === 0) this.#end();
  }

  /** The calls that wait for the key at `index`: that of this load and those of its followers. */
  callersAt(index: number): readonly Call[] {
    if (this.isSettled(index)) return [];
    return [this.call, ...this.followersAt(index).map(({ load }) => load.call)];
  }

  /** The flight that the key at `index` waits for, as far as it is known. */
  flightOf(index: number): Callers | undefined {
    if (this.isSettled(index)) return undefined;
    for (const carrier of this.#carriers ?? []) {
      const flight = carrier.flightFor({ load: this, index });
      if (flight !== undefined) return flight;
    }
    return undefined;
  }

  /** The keys that follow the one at `index`, which is not settled yet. */
  followersAt(index: number): readonly LoadKey[] {
    return this.#followers?.get(index) ?? none;
  }

  isSettled(index: number): boolean {
    return this.values[index] !== unsettled;
  }

  /** `raw`: the item or items as JSON, for loads that store their answers in a cache. */
  settle(index: number, value: unknown, reply: Reply, _raw?: unknown): void {
    if (this.values[index] !== unsettled) return;
    this.values[index] = value;
    this.replies[index] = reply;
    const followers = this.#followers?.get(index);
    if (followers !== undefined) serve(followers, frozen(value), reply);
    this.#count();
  }

  fail(index: number, error: unknown): void {
    if (this.values[index] !== unsettled) return;
    this.values[index] = undefined;
    (this.failures ??= new Map()).set(index, error);
    for (const { load, index: own } of this.#followers?.get(index) ?? []) load.fail(own, error);
    // The remaining keys stay under way: other steps may follow them.
    if (this.#failsAtOnce) this.#resolve(this);
    this.#count();
  }

  /** Says that the keys at `indexes` would be one request on their own. */
  relate(indexes: readonly number[]): void {
    this.#related = indexes;
  }

  get related(): readonly number[] {
    return this.#related ?? [];
  }

  /**
   * Fails the keys that the service would have rejected together with one of them, those that were
   * answered in other requests included: nobody has seen their values yet.
   */
  failRelated(error: unknown): void {
    if (this.#left === 0) return;
    for (const index of this.related) {
      if (!this.isSettled(index)) this.fail(index, error);
      else if (this.failures?.has(index) !== true) {
        this.values[index] = undefined;
        this.replies[index] = undefined;
        (this.failures ??= new Map()).set(index, error);
      }
    }
  }

  /** Fails the keys at `indexes` that are not settled yet. */
  failAll(indexes: readonly number[], error: unknown): void {
    for (const index of indexes) this.fail(index, error);
  }

  /** Registers a carrier. One that is registered twice is called twice. */
  carriedBy(carrier: Carrier): void {
    if (this.#carriers === undefined) this.#carriers = [carrier];
    else this.#carriers.push(carrier);
  }

  /** Settles a key of another load of the same request together with the key at `index`. */
  follow(index: number, follower: LoadKey): void {
    const { load, index: own } = follower;
    if (!this.isSettled(index)) {
      const known = (this.#followers ??= new Map()).get(index);
      if (known === undefined) this.#followers.set(index, [follower]);
      else known.push(follower);
    } else if (this.failures?.has(index) === true) load.fail(own, this.failures.get(index));
    else serve([follower], frozen(this.values[index]), this.replies[index]);
  }

  /** Called when the signal of its request is aborted. */
  handleEvent(): void {
    const { reason } = this.call.signal;
    const carriers = this.#carriers;
    this.#carriers = undefined;
    // A flight without callers is aborted before the last caller continues.
    for (const carrier of carriers ?? []) carrier.leave(this);
    for (let index = 0; index < this.keys.length; index += 1) this.fail(index, reason);
  }

  #count(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#end();
  }

  #end(): void {
    this.call.signal.removeEventListener('abort', this);
    // Otherwise requests that shared a batch would keep each other in memory, in endless chains.
    this.#carriers = undefined;
    this.#followers = undefined;
    this.#resolve(this);
  }
}

function serve(followers: readonly LoadKey[], value: unknown, reply: Reply | undefined): void {
  if (reply === undefined) return;
  const shared = { ...reply, deduplicated: true };
  for (const { load, index } of followers) load.settle(index, value, shared);
}

/** The reply to the only key of a load; rejects with its error if it failed. */
export async function replyOf(load: Load): Promise<Reply> {
  const { failures, replies, values } = await load.done;
  const [reply] = replies;
  if (failures !== undefined) throw failures.get(0);
  if (reply === undefined) throw new Error('a load of one key ended without it');
  return { ...reply, value: values[0] };
}

const indexLists: (readonly number[])[] = [];

/** The list `[0, 1, … width - 1]`, which is made only once for each width up to 100. */
export function indexesUpTo(width: number): readonly number[] {
  if (width > 100) return Array.from({ length: width }, (_, index) => index);
  return (indexLists[width] ??= Object.freeze(Array.from({ length: width }, (_, index) => index)));
}
