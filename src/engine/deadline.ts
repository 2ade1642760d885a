/** One deadline and one abort for a request. */
import type { Clock } from '../clock.ts';
import { ExecutionError } from '../errors.ts';

export interface Deadline {
  readonly signal: AbortSignal;
  /** On the clock's scale. */
  readonly at: number;
  /** Ends everything still under way, for `reason`. */
  abort(reason: Error): void;
  /** Lets go of the timer and of what is still under way. */
  close(): void;
}

const finished = new ExecutionError('disconnected', 'the request is over');

export function openDeadline(clock: Clock, at: number): Deadline {
  const controller = new AbortController();
  const expire = (): void =>
    controller.abort(new ExecutionError('deadline', 'the request ran out of time'));
  const cancelTimer = clock.after(Math.max(0, at - clock.now()), expire);
  return {
    signal: controller.signal,
    at,
    abort: (reason) => controller.abort(reason),
    close() {
      cancelTimer();
      controller.abort(finished);
    },
  };
}
