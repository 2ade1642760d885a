/** Coalescing: identical calls in flight, of whatever requests, share one. Nothing is remembered after it settles. */
import type { Clock } from '../clock.ts';
import type { Call, Policy, Reply, Send } from './call.ts';
import { callError, isShareable } from './call.ts';
import { frozen } from './frozen.ts';
import { keyOf } from './key.ts';
import { sharedSignal } from './shared-signal.ts';
import type { SharedSignal } from './shared-signal.ts';

/** One call under way and those who wait for it. */
interface Flight {
  /** What the service was told, on the clock's scale. */
  readonly deadlineAt: number;
  readonly reply: Promise<Reply>;
  readonly shared: SharedSignal;
  readonly waiters: Call[];
}

/**
 * Each call leaves at its own deadline or disconnect without failing the others; when the last has
 * left, the flight is given up. At most `mostFlights` are under way at once; beyond that calls fail
 * with the kind `overloaded`.
 */
export function coalesce(clock: Clock, mostFlights = 50_000): Policy {
  return (next) => {
    const flights = new Map<string, Flight>();
    return async (call) => {
      if (!isShareable(call) || !call.operation.coalesce) return next(call);
      call.signal.throwIfAborted();
      const key = keyOf(call);
      const known = flights.get(key);
      if (known !== undefined && mayJoin(known, call)) {
        return { ...(await join(known, call)), deduplicated: true };
      }
      if (flights.size >= mostFlights) {
        throw callError(call, 'overloaded', `has ${mostFlights} different calls in flight`);
      }
      const flight = takeOff(call, next, () => {
        // Its key may have taken off again.
        if (flights.get(key) === flight) flights.delete(key);
      });
      flights.set(key, flight);
      return join(flight, call);
    };

    /** Not one whose service was told to hurry for somebody else, nor one from before an own write. */
    function mayJoin(flight: Flight, call: Call): boolean {
      const now = clock.now();
      return call.fresh !== true && flight.deadlineAt - now >= (call.deadlineAt - now) / 2;
    }
  };
}

function takeOff(call: Call, next: Send, onEnd: () => void): Flight {
  const shared = sharedSignal([]);
  const waiters: Call[] = [];
  // Given up: whoever comes now has to take off anew.
  shared.signal.addEventListener('abort', onEnd, { once: true });
  const reply = next({ ...call, signal: shared.signal, waiters })
    .then((answer) => {
      if (waiters.length > 1) frozen(answer.value);
      return answer;
    })
    .finally(() => {
      shared.release();
      onEnd();
    });
  return { reply, shared, waiters, deadlineAt: call.deadlineAt };
}

function join({ reply, shared, waiters }: Flight, call: Call): Promise<Reply> {
  waiters.push(call);
  return new Promise((resolve, reject) => {
    shared.join(call, () => reject(call.signal.reason));
    reply.then(resolve, reject);
  });
}
