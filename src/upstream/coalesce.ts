/** Coalescing: identical calls in flight, of whatever requests, share one. Nothing is remembered after it settles. */
import type { Clock } from '../clock.ts';
import { AbortSource } from '../signal.ts';
import type { Call, Policy, Reply, Send } from './call.ts';
import { callError, isShareable } from './call.ts';
import { frozen } from './frozen.ts';
import { keyOf } from './key.ts';

/**
 * Each call leaves at its own deadline or disconnect without failing the others; when the last has
 * left, the flight is given up. At most `mostFlights` are under way at once; beyond that calls fail
 * with the kind `overloaded`.
 */
export function coalesce(clock: Clock, mostFlights = 50_000): Policy {
  return (next) => {
    const flights = new Map<string, Flight>();
    return (call) => {
      if (!isShareable(call) || !call.operation.coalesce) return next(call);
      if (call.signal.aborted) return Promise.reject(call.signal.reason);
      const key = keyOf(call);
      const known = flights.get(key);
      if (known !== undefined && mayJoin(known, call)) return known.join(call);
      if (flights.size >= mostFlights) {
        const message = `has ${mostFlights} different calls in flight`;
        return Promise.reject(callError(call, 'overloaded', message));
      }
      const flight = new Flight(call, () => {
        // Its key may have taken off again.
        if (flights.get(key) === flight) flights.delete(key);
      });
      flights.set(key, flight);
      const reply = flight.join(call);
      flight.takeOff(next);
      return reply;
    };

    /** Not one whose service was told to hurry for somebody else, nor one from before an own write. */
    function mayJoin(flight: Flight, call: Call): boolean {
      const now = clock.now();
      return call.fresh !== true && flight.deadlineAt - now >= (call.deadlineAt - now) / 2;
    }
  };
}

/** One call under way and those who wait for it. Pages of lookups have very many at once. */
class Flight {
  readonly #call: Call;
  readonly #onEnd: () => void;
  readonly #signal = new AbortSource();
  readonly #waiters: Call[] = [];
  readonly #passengers = new Set<Passenger>();

  constructor(call: Call, onEnd: () => void) {
    this.#call = call;
    this.#onEnd = onEnd;
  }

  /** What the service is told, on the clock's scale. */
  get deadlineAt(): number {
    return this.#call.deadlineAt;
  }

  takeOff(next: Send): void {
    next({ ...this.#call, signal: this.#signal, waiters: this.#waiters }).then(
      (reply) => this.#land(reply),
      (error: unknown) => this.#fail(error),
    );
  }

  join(call: Call): Promise<Reply> {
    this.#waiters.push(call);
    return new Promise((resolve, reject) => {
      const isFirst = this.#waiters.length === 1;
      const passenger = new Passenger(this, call, { isFirst, resolve, reject });
      this.#passengers.add(passenger);
      call.signal.addEventListener('abort', passenger, { once: true });
    });
  }

  leave(passenger: Passenger, { signal }: Call): void {
    this.#passengers.delete(passenger);
    if (this.#passengers.size > 0) return;
    // Whoever comes now has to take off anew.
    this.#onEnd();
    const cause = signal.reason;
    this.#signal.abort(callError(this.#call, 'aborted', 'nobody waits any more', { cause }));
  }

  #land(reply: Reply): void {
    this.#onEnd();
    if (this.#waiters.length > 1) frozen(reply.value);
    for (const passenger of this.#passengers) passenger.arrive(reply);
  }

  #fail(error: unknown): void {
    this.#onEnd();
    for (const passenger of this.#passengers) passenger.fail(error);
  }
}

interface Ticket {
  /** The flight took off for it. */
  readonly isFirst: boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (reason: unknown) => void;
}

/** One call that waits for a flight, and may leave it. */
class Passenger {
  readonly #flight: Flight;
  readonly #call: Call;
  readonly #ticket: Ticket;

  constructor(flight: Flight, call: Call, ticket: Ticket) {
    this.#flight = flight;
    this.#call = call;
    this.#ticket = ticket;
  }

  arrive(reply: Reply): void {
    this.#call.signal.removeEventListener('abort', this);
    this.#ticket.resolve(this.#ticket.isFirst ? reply : { ...reply, deduplicated: true });
  }

  fail(error: unknown): void {
    this.#call.signal.removeEventListener('abort', this);
    this.#ticket.reject(error);
  }

  /** Its request is over. */
  handleEvent(): void {
    this.#ticket.reject(this.#call.signal.reason);
    this.#flight.leave(this, this.#call);
  }
}
