/** Those who wait for something that is shared, each until its own request is over. */
import type { Call, Reply } from '../call.ts';

/** What several calls wait for. */
export interface Shared {
  /** The request of one of its calls is over. */
  leave(call: Call): void;
}

/** Whether a call may wait for what is under way, and has to be over at `deadlineAt` on the clock's scale. */
export function mayJoin(call: Call, deadlineAt: number, now: number): boolean {
  // Not what was told to hurry for somebody else, nor what left before an own write.
  return call.fresh !== true && deadlineAt - now >= (call.deadlineAt - now) / 2;
}

/** One call that waits, and may leave. */
export class Waiter {
  readonly call: Call;
  readonly #shared: Shared;
  readonly #reply = Promise.withResolvers<Reply>();

  constructor(shared: Shared, call: Call) {
    this.call = call;
    this.#shared = shared;
    call.signal.addEventListener('abort', this, { once: true });
  }

  get reply(): Promise<Reply> {
    return this.#reply.promise;
  }

  arrive(reply: Reply): void {
    this.call.signal.removeEventListener('abort', this);
    this.#reply.resolve(reply);
  }

  fail(error: unknown): void {
    this.call.signal.removeEventListener('abort', this);
    this.#reply.reject(error);
  }

  /** Its request is over. */
  handleEvent(): void {
    // What is called off ends before those who called it off go on.
    this.#shared.leave(this.call);
    this.#reply.reject(this.call.signal.reason);
  }
}
