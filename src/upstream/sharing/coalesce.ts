/** Coalescing: identical calls in flight, of whatever requests, share one. Nothing is remembered after it settles. */
import type { Clock } from '../../clock.ts';
import { AbortSource } from '../../signal.ts';
import type { Call, Policy, Reply, Send } from '../call.ts';
import { callError, isShareable } from '../call.ts';
import { frozen } from '../../frozen.ts';
import { keyOf } from './key.ts';
import { Waiter, mayJoin } from './waiter.ts';
import type { Shared } from './waiter.ts';

/**
 * Each call leaves at its own deadline or disconnect without failing the others; when the last has
 * left, the flight is given up. At most `mostFlights` are under way at once; beyond that calls fail
 * with the kind `overloaded`.
 */
export function coalesce(clock: Clock, mostFlights = 50_000): Policy {
  return (next) => {
    const flights = new Map<string, Flight>();
    return (call) => {
      const { operation } = call;
      // Keys that are under way are joined in their batches.
      if (operation.lookup !== undefined || !operation.coalesce || !isShareable(call))
        return next(call);
      if (call.signal.aborted) return Promise.reject(call.signal.reason);
      const key = keyOf(call);
      const known = flights.get(key);
      if (known !== undefined && mayJoin(call, known.deadlineAt, clock.now()))
        return known.join(call);
      if (flights.size >= mostFlights) {
        const message = `has ${mostFlights} different calls in flight`;
        return Promise.reject(callError(call, 'overloaded', message));
      }
      return new Flight(call, key, flights).takeOff(next);
    };
  };
}

/** One call under way and those who wait for it; the signal that what is done for it follows. */
class Flight extends AbortSource implements Shared {
  readonly #call: Call;
  readonly #key: string;
  readonly #flights: Map<string, Flight>;
  // Not filled by `push`, which makes room for sixteen more.
  readonly #waiters: Call[];
  readonly #passengers: [Waiter, ...Waiter[]];
  #left = 0;

  constructor(call: Call, key: string, flights: Map<string, Flight>) {
    super();
    this.#call = call;
    this.#key = key;
    this.#flights = flights;
    this.#waiters = [call];
    this.#passengers = [new Waiter(this, call)];
    flights.set(key, this);
  }

  /** What the service is told, on the clock's scale. */
  get deadlineAt(): number {
    return this.#call.deadlineAt;
  }

  takeOff(next: Send): Promise<Reply> {
    next({ ...this.#call, signal: this, waiters: this.#waiters }).then(
      (reply) => this.#land(reply),
      (error: unknown) => this.#fail(error),
    );
    return this.#passengers[0].reply;
  }

  join(call: Call): Promise<Reply> {
    const passenger = new Waiter(this, call);
    this.#waiters.push(call);
    this.#passengers.push(passenger);
    return passenger.reply;
  }

  leave({ signal }: Call): void {
    this.#left += 1;
    if (this.#left < this.#passengers.length) return;
    // Whoever comes now has to take off anew.
    this.#end();
    const cause = signal.reason;
    this.abort(callError(this.#call, 'aborted', 'nobody waits any more', { cause }));
  }

  #land(reply: Reply): void {
    this.#end();
    const [first, ...others] = this.#passengers;
    if (others.length > 0) frozen(reply.value);
    first.arrive(reply);
    for (const passenger of others) passenger.arrive({ ...reply, deduplicated: true });
  }

  #fail(error: unknown): void {
    this.#end();
    for (const passenger of this.#passengers) passenger.fail(error);
  }

  /** Its key may have taken off again. */
  #end(): void {
    if (this.#flights.get(this.#key) === this) this.#flights.delete(this.#key);
  }
}
