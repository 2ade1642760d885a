/** `single`: asks for the keys of a load one at a time, a few of each client request at once. */
import type { Operation } from '../../dsl/operation.ts';
import { createSemaphore } from '../../limit.ts';
import type { Semaphore } from '../../limit.ts';
import type { Call, Caller, Callers, Reply } from '../call.ts';
import { Load } from './load.ts';
import type { Carrier, LoadKey, LoadPolicy } from './load.ts';

/**
 * Sends the keys of a lookup with `single` as loads of their own. A key is sent on when it has a
 * permit of its client request, and not before: otherwise other client requests would join a call
 * that has to wait for the keys of a large page.
 */
export const single: LoadPolicy = (next) => {
  const semaphores = new WeakMap<Caller, Map<Operation, Semaphore>>();

  function semaphoreFor({ caller, operation }: Call, concurrency: number): Semaphore {
    const own = semaphores.get(caller) ?? new Map<Operation, Semaphore>();
    semaphores.set(caller, own);
    const semaphore = own.get(operation) ?? createSemaphore(concurrency);
    own.set(operation, semaphore);
    return semaphore;
  }

  return function sendOneByOne(load, indexes) {
    const { concurrency } = load.call.operation.lookup ?? {};
    if (concurrency === undefined) return next(load, indexes);
    const semaphore = semaphoreFor(load.call, concurrency);
    for (const index of distinct(load, indexes))
      semaphore.acquire(function sendKey(release) {
        if (load.isSettled(index)) return release(); // since its client request is over
        const own = new SingleLoad(load, index);
        void own.done.then(release);
        next(own, [0]);
      });
  };
};

/** The indexes of different keys; equal ones follow the first of them. */
function distinct(load: Load, indexes: readonly number[]): readonly number[] {
  const firsts = new Map<string, number>();
  return indexes.filter((index) => {
    const text = load.texts[index] ?? '';
    const first = firsts.get(text);
    if (first === undefined) firsts.set(text, index);
    else load.follow(first, { load, index });
    return first === undefined;
  });
}

/** One key of a load; its result is passed on to the load. */
class SingleLoad extends Load implements Carrier {
  readonly #load: Load;
  readonly #index: number;

  constructor(load: Load, index: number) {
    super({
      call: load.call,
      keys: [load.keys[index]],
      texts: [load.texts[index] ?? ''],
      names: [load.names[index] ?? ''],
    });
    this.#load = load;
    this.#index = index;
    load.carriedBy(this);
  }

  /** Its own key fails by itself when the request is over. */
  leave(): void {}

  flightFor({ load, index }: LoadKey): Callers | undefined {
    return load === this.#load && index === this.#index ? this.flightOf(0) : undefined;
  }

  override settle(at: number, value: unknown, reply: Reply, raw: unknown): void {
    super.settle(at, value, reply, raw);
    this.#load.settle(this.#index, value, reply, raw);
  }

  override fail(at: number, error: unknown): void {
    super.fail(at, error);
    this.#load.fail(this.#index, error);
  }

  override callersAt(): readonly Call[] {
    return this.#load.callersAt(this.#index);
  }

  override followersAt(): readonly LoadKey[] {
    return this.#load.followersAt(this.#index);
  }
}
