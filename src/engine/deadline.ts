/**
 * The deadline of a request: a timer and one signal, which ends everything under way. A disconnect
 * aborts it, too: `http/endpoint` hears of it, `execute` aborts, and each call under way leaves its
 * flight or batch, which breaks its connection when it was the last.
 */
import type { Clock } from '../clock.ts';
import { ExecutionError } from '../errors.ts';
import { AbortSource } from '../signal.ts';
import type { Signal } from '../signal.ts';

export interface Deadline {
  readonly signal: Signal;
  /** When it is, on the clock's scale. */
  readonly at: number;
  /** Ends everything that is under way, with `reason`. */
  abort(reason: Error): void;
  /** Cancels the timer and ends everything that is under way. */
  close(): void;
}

function outOfTime(): ExecutionError {
  return new ExecutionError('deadline', 'the request ran out of time');
}

const finished = new ExecutionError('disconnected', 'the request is over');

export function openDeadline(clock: Clock, at: number): Deadline {
  const signal = new AbortSource();
  const expire = (): void => signal.abort(outOfTime());
  const leftMs = at - clock.now();
  // At once if it has passed: with a timer, calls would be sent that nobody can wait for.
  if (leftMs <= 0) expire();
  const cancelTimer = clock.after(Math.max(0, leftMs), expire);
  return {
    signal,
    at,
    abort: (reason) => signal.abort(reason),
    close() {
      cancelTimer();
      signal.abort(finished);
    },
  };
}
