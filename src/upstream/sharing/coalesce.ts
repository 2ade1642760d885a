/**
 * Coalescing (single-flight): identical calls of any client requests share one dispatch while it is
 * in flight. Nothing is kept after it has settled.
 */
import type { Clock } from '../../clock.ts';
import type { Operation } from '../../dsl/operation.ts';
import { frozen } from '../../frozen.ts';
import type { Call, Dispatch, OnJoin, Reply, Send } from '../call.ts';
import { callError, dispatchOf, withFollowers } from '../call.ts';
import { isHeldBack } from '../resilience/failure.ts';
import { Flight } from './flight.ts';
import { hasMoreTime, mayBeShortOfTime } from './short-time.ts';

export interface CoalesceOptions {
  /** The most dispatches that may be in flight. */
  readonly mostFlights?: number;
  /** Takes a retry out of the budget of the operation's service. Default: grants none. */
  readonly withdraw?: (operation: Operation) => boolean;
  readonly onJoin?: OnJoin | undefined;
}

/**
 * Makes one dispatch of identical calls. At most `mostFlights` are in flight; further calls fail
 * with the kind `overloaded`.
 *
 * A call that joins keeps its own time. If a dispatch fails, perhaps because its deadline was
 * shorter, the calls that have time left are dispatched once more, together and with the latest of
 * their deadlines, if the retry budget allows.
 */
export function coalesce(
  clock: Clock,
  { mostFlights = 50_000, withdraw = () => false, onJoin }: CoalesceOptions = {},
): (next: Send<Dispatch>) => Send {
  return (next) => {
    const flights = new Map<string, CallFlight>();
    const shared: Shared = { next, clock, withdraw, flights, onJoin };
    return function sendCoalesced(call) {
      const { key, signal } = call;
      if (key === undefined || !call.operation.coalesce) return next(dispatchOf(call));
      if (signal.aborted) return Promise.reject(signal.reason);
      const known = flights.get(key);
      if (known !== undefined && known.mayBeJoined(call, clock.now())) {
        onJoin?.(call, known);
        return known.reply(call);
      }
      if (flights.size >= mostFlights) {
        const message = `has ${mostFlights} different calls in flight`;
        return Promise.reject(callError(call, 'overloaded', message));
      }
      const flight = new CallFlight(call, key, shared);
      const reply = flight.reply(call);
      flight.takeOff();
      return reply;
    };
  };
}

/** The parts that all flights have in common. */
interface Shared {
  readonly next: Send<Dispatch>;
  readonly clock: Clock;
  readonly withdraw: (operation: Operation) => boolean;
  readonly flights: Map<string, CallFlight>;
  readonly onJoin: OnJoin | undefined;
}

/** A dispatch in flight, found by the key of its calls. */
class CallFlight extends Flight {
  readonly #call: Call;
  readonly #key: string;
  readonly #shared: Shared;
  /** The failure after which it was dispatched. */
  readonly #earlier: unknown;
  #subscriptions: Subscription[] | undefined;

  constructor(call: Call, key: string, shared: Shared, earlier?: unknown) {
    super();
    this.#call = call;
    this.#key = key;
    this.#shared = shared;
    this.#earlier = earlier;
    shared.flights.set(key, this);
  }

  get operation(): Operation {
    return this.#call.operation;
  }

  get width(): undefined {
    return undefined;
  }

  get deadlineAt(): number {
    return this.#call.deadlineAt;
  }

  waiting(): readonly Call[] {
    return (this.#subscriptions ?? [])
      .filter(({ isOver }) => !isOver)
      .flatMap(({ call }) => withFollowers(call));
  }

  takeOff(): void {
    const { tried } = this;
    const own = { signal: this, callers: this, keys: undefined, tried, isPatient: false };
    this.#shared.next({ ...this.#call, ...own }).then(
      (landed) => this.#land(landed),
      (error: unknown) => this.#fail(error),
    );
  }

  /** The reply for one more call. */
  reply(call: Call): Promise<Reply> {
    const subscription = new Subscription(this, call);
    this.#add(subscription);
    return subscription.reply;
  }

  #add(subscription: Subscription): void {
    this.join();
    const { followers } = subscription.call;
    followers.flight = this;
    // Those that follow from now on tell it themselves.
    for (const follower of followers.calls ?? []) this.#shared.onJoin?.(follower, this);
    // Most have one. V8 allocates seventeen entries on the first `push` into an empty list.
    if (this.#subscriptions === undefined) this.#subscriptions = [subscription];
    else this.#subscriptions.push(subscription);
  }

  #land(reply: Reply): void {
    const [first, ...others] = this.#end();
    first?.arrive(reply);
    if (others.length === 0) return;
    frozen(reply.value);
    const shared = { ...reply, deduplicated: true };
    const heir = first?.isOver === true ? others.find(({ isOver }) => !isOver) : undefined;
    for (const subscription of others)
      subscription.arrive(subscription === heir ? { ...shared, takesOver: true } : shared);
  }

  #fail(error: unknown): void {
    // The earlier failure says more than that the second dispatch was not sent.
    const failure = this.#earlier !== undefined && isHeldBack(error) ? this.#earlier : error;
    const all = this.#end();
    const again = all.length < 2 ? [] : this.#withTimeLeft(all, error);
    for (const subscription of all) if (!again.includes(subscription)) subscription.fail(failure);
    if (again.length > 0) this.#dispatchAgain(again, error);
  }

  /** The subscriptions to dispatch again; none if the retry budget is used up. */
  #withTimeLeft(all: readonly Subscription[], error: unknown): readonly Subscription[] {
    const { clock, withdraw } = this.#shared;
    const now = clock.now();
    if (!mayBeShortOfTime(error, this.#call, now)) return [];
    const again = all.filter(
      ({ call, isSecond, isOver }) => !isSecond && !isOver && hasMoreTime(call, this.#call, now),
    );
    return again.length > 0 && withdraw(this.#call.operation) ? again : [];
  }

  #dispatchAgain(again: readonly Subscription[], error: unknown): void {
    const { call } = again.reduce((latest, one) =>
      one.call.deadlineAt > latest.call.deadlineAt ? one : latest,
    );
    const createdAt = this.#shared.clock.now();
    const second = new CallFlight({ ...call, createdAt }, this.#key, this.#shared, error);
    for (const subscription of again) {
      subscription.moveTo(second);
      second.#add(subscription);
      if (subscription.call !== call) this.#shared.onJoin?.(subscription.call, second);
    }
    second.takeOff();
  }

  /** Drops the subscriptions, through which finished requests would keep each other in memory. */
  #end(): readonly Subscription[] {
    this.forget();
    const subscriptions = this.#subscriptions ?? [];
    this.#subscriptions = undefined;
    for (const { call } of subscriptions) call.followers.flight = undefined;
    return subscriptions;
  }

  protected forget(): void {
    const { flights } = this.#shared;
    if (flights.get(this.#key) === this) flights.delete(this.#key);
  }
}

/** A call that waits for a flight, until its own request is over. */
class Subscription {
  readonly call: Call;
  /** Whether it has been dispatched again. */
  isSecond = false;
  #flight: Flight;
  readonly #resolvers = Promise.withResolvers<Reply>();

  constructor(flight: Flight, call: Call) {
    this.call = call;
    this.#flight = flight;
    call.signal.addEventListener('abort', this, { once: true });
  }

  get reply(): Promise<Reply> {
    return this.#resolvers.promise;
  }

  get isOver(): boolean {
    return this.call.signal.aborted;
  }

  moveTo(flight: Flight): void {
    this.isSecond = true;
    this.#flight = flight;
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
