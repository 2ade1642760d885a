/** A load: the keys that one step asks a lookup for, on their way together. */
import { frozen } from '../../frozen.ts';
import type { Call, Reply } from '../call.ts';

/** Looks after some keys of a load until they are settled. */
export interface Carrier {
  /** The load's request is over. */
  leave(load: Load): void;
}

/** Sends those keys of a load that `indexes` lists. Never throws: what goes wrong fails its keys. */
export type SendLoad = (load: Load, indexes: readonly number[]) => void;

/** Something done around sending loads. */
export type LoadPolicy = (next: SendLoad) => SendLoad;

export interface LoadOptions {
  /** Everything that its keys have in common. */
  readonly call: Call;
  /** As they were given. */
  readonly keys: readonly unknown[];
  /** By which equal keys are recognised. */
  readonly texts: readonly string[];
  /** By which keys are found while they are under way. Default: `texts`. */
  readonly names?: readonly string[];
  /** The step fails with the first of its keys: the others need not be waited for. */
  readonly failsAtOnce?: boolean;
}

/** In the place of a value that is not there yet. */
const unsettled = Symbol('unsettled');

const ignore = (): void => undefined;

/** Told of a key of another load of the same request. */
interface Follower {
  readonly load: Load;
  readonly index: number;
}

/**
 * A column of keys becomes a column of values: one promise, one call and one abort listener, however
 * many keys there are. Each key is settled by itself, by whatever serves it: an earlier load of the
 * same request, a cache, a batch under way, a batch of its own.
 */
export class Load {
  readonly call: Call;
  readonly keys: readonly unknown[];
  readonly texts: readonly string[];
  readonly names: readonly string[];
  /** By key: its value, once it is there; `undefined` where it failed. */
  readonly values: unknown[];
  /** By key: what answered it. Its own value is not in there. */
  readonly replies: (Reply | undefined)[];
  /** By key, of those that failed; the first entry is the first failure. */
  failures: Map<number, unknown> | undefined;
  /** Kept when all keys are settled; with `failsAtOnce` as soon as one has failed. Never broken. */
  readonly done: Promise<Load>;
  #resolve: (load: Load) => void = ignore;
  readonly #failsAtOnce: boolean;
  #left: number;
  #carriers: Carrier[] | undefined;
  #followers: Map<number, Follower[]> | undefined;

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

  /** The calls that wait for the key at `index`: its own, and others of the same request. */
  callersAt(index: number): readonly Call[] {
    if (this.isSettled(index)) return [];
    const followers = this.#followers?.get(index) ?? [];
    return [this.call, ...followers.map(({ load }) => load.call)];
  }

  isSettled(index: number): boolean {
    return this.values[index] !== unsettled;
  }

  /** `raw`: the item, or items, before they were parsed; only where the operation keeps answers. */
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
    // The keys that are left still count: the same keys may be asked for by other steps.
    if (this.#failsAtOnce) this.#resolve(this);
    this.#count();
  }

  /** Fails all that is left of `indexes`. */
  failAll(indexes: readonly number[], error: unknown): void {
    for (const index of indexes) this.fail(index, error);
  }

  /** To be told, once for each time it is said, when the request is over before the keys are settled. */
  carriedBy(carrier: Carrier): void {
    if (this.#carriers === undefined) this.#carriers = [carrier];
    else this.#carriers.push(carrier);
  }

  /** Another load of the same request waits for the key at `index`. */
  follow(index: number, follower: Follower): void {
    const { load, index: own } = follower;
    if (!this.isSettled(index)) {
      const known = (this.#followers ??= new Map()).get(index);
      if (known === undefined) this.#followers.set(index, [follower]);
      else known.push(follower);
    } else if (this.failures?.has(index) === true) load.fail(own, this.failures.get(index));
    else serve([follower], frozen(this.values[index]), this.replies[index]);
  }

  /** Its request is over. */
  handleEvent(): void {
    const { reason } = this.call.signal;
    const carriers = this.#carriers;
    this.#carriers = undefined;
    // A request that nobody waits for any more ends before those who waited go on.
    for (const carrier of carriers ?? []) carrier.leave(this);
    for (let index = 0; index < this.keys.length; index += 1) this.fail(index, reason);
  }

  #count(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#end();
  }

  #end(): void {
    this.call.signal.removeEventListener('abort', this);
    // Requests that shared a batch would otherwise hold each other, and the next ones, for ever.
    this.#carriers = undefined;
    this.#followers = undefined;
    this.#resolve(this);
  }
}

function serve(followers: readonly Follower[], value: unknown, reply: Reply | undefined): void {
  if (reply === undefined) return;
  const shared = { ...reply, deduplicated: true };
  for (const { load, index } of followers) load.settle(index, value, shared);
}

/** A load of one key, as the reply or the failure of a call. */
export async function replyOf(load: Load): Promise<Reply> {
  const { failures, replies, values } = await load.done;
  const [reply] = replies;
  if (failures !== undefined) throw failures.get(0);
  if (reply === undefined) throw new Error('a load of one key ended without it');
  return { ...reply, value: values[0] };
}

const indexLists: (readonly number[])[] = [];

/** `[0, 1, … width - 1]`, the same list for the same width up to a hundred. */
export function indexesUpTo(width: number): readonly number[] {
  if (width > 100) return Array.from({ length: width }, (_, index) => index);
  return (indexLists[width] ??= Object.freeze(Array.from({ length: width }, (_, index) => index)));
}
