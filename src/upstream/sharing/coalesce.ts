/**
 * Coalescing (single-flight): identical calls in flight, of whatever requests, share one. Nothing is
 * remembered after it settles.
 */
import type { Clock } from '../../clock.ts';
import { frozen } from '../../frozen.ts';
import { AbortSource } from '../../signal.ts';
import type { Call, Callers, Dispatch, Reply, Send } from '../call.ts';
import { callError, dispatchOf, withFollowers } from '../call.ts';

/**
 * A request to a service that several callers wait for, and the signal it runs by. It has its own life:
 * a caller leaves at its own deadline or disconnect without failing the others; when the last has left,
 * it is aborted, and nobody finds it any more.
 */
export abstract class Flight extends AbortSource implements Callers {
  #callers = 0;

  /** When the service was told to be done, on the clock's scale. */
  protected abstract readonly deadlineAt: number;
  abstract waiting(): readonly Call[];
  /** Nobody may find it from now on: its key may be in flight again. */
  protected abstract forget(): void;

  /** Not with less than half of the call's time left, nor if it was sent before the request's own write. */
  mayBeJoined(call: Call, now: number): boolean {
    return !call.afterWrite && this.deadlineAt - now >= (call.deadlineAt - now) / 2;
  }

  protected join(): void {
    this.#callers += 1;
  }

  leave({ call }: { readonly call: Call }): void {
    this.#callers -= 1;
    if (this.#callers > 0) return;
    this.forget();
    const cause = call.signal.reason;
    this.abort(callError(call, 'aborted', 'nobody waits any more', { cause }));
  }
}

/**
 * Makes one dispatch of identical calls in flight. At most `mostFlights` are under way at once; beyond
 * that calls fail with the kind `overloaded`.
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

/** One call in flight. */
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
    const dispatch = { ...this.#call, signal: this, callers: this, keys: undefined, tried: [] };
    next(dispatch).then(
      (landed) => this.#land(landed),
      (error: unknown) => this.#fail(error),
    );
    return reply;
  }

  /** The reply for one more call. */
  reply(call: Call): Promise<Reply> {
    this.join();
    const subscription = new Subscription(this, call);
    // Most have one: `push` into an empty list would make room for seventeen.
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

  /** Lets go of those who waited: they would hold each other's requests for as long as it is held. */
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

/** One call that waits for a flight until its own request is over. */
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

  /** Its request is over. */
  handleEvent(): void {
    // A request that nobody waits for any more ends before those who waited go on.
    this.#flight.leave(this);
    this.#resolvers.reject(this.call.signal.reason);
  }
}
