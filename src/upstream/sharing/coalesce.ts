/**
 * Coalescing (single-flight): identical calls of any client requests share one dispatch while it is
 * in flight. Nothing is kept after it has settled.
 */
import type { Clock } from '../../clock.ts';
import { frozen } from '../../frozen.ts';
import type { Call, Dispatch, Reply, Send } from '../call.ts';
import { callError, dispatchOf, withFollowers } from '../call.ts';
import { Flight } from './flight.ts';

/**
 * Makes one dispatch of identical calls. At most `mostFlights` are in flight; further calls fail
 * with the kind `overloaded`.
 */
export function coalesce(clock: Clock, mostFlights = 50_000): (next: Send<Dispatch>) => Send {
  return (next) => {
    const flights = new Map<string, CallFlight>();
    return function sendCoalesced(call) {
      const { key, signal } = call;
      if (key === undefined || !call.operation.coalesce) return next(dispatchOf(call));
      if (signal.aborted) return Promise.reject(signal.reason);
      const known = flights.get(key);
      if (known !== undefined && known.mayBeJoined(call, clock.now())) return known.reply(call);
      if (flights.size >= mostFlights) {
        const message = `has ${mostFlights} different calls in flight`;
        return Promise.reject(callError(call, 'overloaded', message));
      }
      return new CallFlight(call, key, flights).takeOff(next);
    };
  };
}

/** A dispatch in flight, found by the key of its calls. */
class CallFlight extends Flight {
  readonly #call: Call;
  readonly #key: string;
  readonly #flights: Map<string, CallFlight>;
  #subscriptions: Subscription[] | undefined;

  constructor(call: Call, key: string, flights: Map<string, CallFlight>) {
    super();
    this.#call = call;
    this.#key = key;
    this.#flights = flights;
    flights.set(key, this);
  }

  get deadlineAt(): number {
    return this.#call.deadlineAt;
  }

  waiting(): readonly Call[] {
    return (this.#subscriptions ?? [])
      .filter(({ call }) => !call.signal.aborted)
      .flatMap(({ call }) => withFollowers(call));
  }

  takeOff(next: Send<Dispatch>): Promise<Reply> {
    const reply = this.reply(this.#call);
    const own = { signal: this, callers: this, keys: undefined, tried: [], isPatient: false };
    next({ ...this.#call, ...own }).then(
      (landed) => this.#land(landed),
      (error: unknown) => this.#fail(error),
    );
    return reply;
  }

  /** The reply for one more call. */
  reply(call: Call): Promise<Reply> {
    this.join();
    const subscription = new Subscription(this, call);
    // Most have one. V8 allocates seventeen entries on the first `push` into an empty list.
    if (this.#subscriptions === undefined) this.#subscriptions = [subscription];
    else this.#subscriptions.push(subscription);
    return subscription.reply;
  }

  #land(reply: Reply): void {
    const [first, ...others] = this.#end();
    first?.arrive(reply);
    if (others.length === 0) return;
    frozen(reply.value);
    const shared = { ...reply, deduplicated: true };
    for (const subscription of others) subscription.arrive(shared);
  }

  #fail(error: unknown): void {
    for (const subscription of this.#end()) subscription.fail(error);
  }

  /** Drops the subscriptions, through which finished requests would keep each other in memory. */
  #end(): readonly Subscription[] {
    this.forget();
    const subscriptions = this.#subscriptions ?? [];
    this.#subscriptions = undefined;
    return subscriptions;
  }

  protected forget(): void {
    if (this.#flights.get(this.#key) === this) this.#flights.delete(this.#key);
  }
}

/** A call that waits for a flight, until its own request is over. */
class Subscription {
  readonly call: Call;
  readonly #flight: Flight;
  readonly #resolvers = Promise.withResolvers<Reply>();

  constructor(flight: Flight, call: Call) {
    this.call = call;
    this.#flight = flight;
    call.signal.addEventListener('abort', this, { once: true });
  }

  get reply(): Promise<Reply> {
    return this.#resolvers.promise;
  }

  arrive(reply: Reply): void {
    this.call.signal.removeEventListener('abort', this);
    this.#resolvers.resolve(reply);
  }

  fail(error: unknown): void {
    this.call.signal.removeEventListener('abort', this);
    this.#resolvers.reject(error);
  }

  /** Called when the signal of its request is aborted. */
  handleEvent(): void {
    // A flight without callers is aborted before the last caller continues.
    this.#flight.leave(this);
    this.#resolvers.reject(this.call.signal.reason);
  }
}
