/** One deadline and one abort for a request. */
import type { Clock } from '../clock.ts';
import { ExecutionError } from '../errors.ts';
import { AbortSource } from '../signal.ts';
import type { Signal } from '../signal.ts';

export interface Deadline {
  readonly signal: Signal;
  /** On the clock's scale. */
  readonly at: number;
  /** Ends everything still under way, for `reason`. */
  abort(reason: Error): void;
  /** Lets go of the timer and of what is still under way. */
  close(): void;
}

/** What `work` gives, or an ExecutionError of kind `deadline` when it is not there at `at`. */
export function before<T>(clock: Clock, at: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancelTimer = clock.after(Math.max(0, at - clock.now()), () => reject(outOfTime()));
    work.then(resolve, reject).finally(cancelTimer);
  });
}

function outOfTime(): ExecutionError {
  return new ExecutionError('deadline', 'the request ran out of time');
}

const finished = new ExecutionError('disconnected', 'the request is over');

export function openDeadline(clock: Clock, at: number): Deadline {
  const signal = new AbortSource();
  const expire = (): void => signal.abort(outOfTime());
  const leftMs = at - clock.now();
  // Over before it began: a timer would let calls out that nobody can wait for.
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
