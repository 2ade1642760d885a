/** The writes of one request: which were done, and of which nobody knows. */
import type { Clock } from '../clock.ts';
import { UpstreamError } from '../errors.ts';
import type { WriteWatch } from '../upstream/call.ts';

/** A write that was done: a failure of the request does not undo it. */
export interface CompletedWrite {
  readonly step: string;
  /** What the service answered. */
  readonly status: number;
}

export class Writes {
  readonly completed: CompletedWrite[] = [];
  /** Writes that were sent and ended without an answer that says what came of them. */
  readonly #lost = new Set<string>();
  readonly #underWay = new Set<Write>();
  #onSettled: (() => void) | undefined;

  begin(step: string): Write {
    const write = new Write(step, (ended) => this.#end(ended));
    this.#underWay.add(write);
    return write;
  }

  /** Steps of writes that were sent and whose outcome is unknown, as far as it is known by now. */
  get uncertain(): readonly string[] {
    const running = [...this.#underWay].filter(({ isSent }) => isSent).map(({ step }) => step);
    return [...new Set([...this.#lost, ...running])];
  }

  /** Resolves when no write is under way any more, and at the latest at `at`, on the clock's scale. */
  settledBefore(clock: Clock, at: number): Promise<void> {
    const leftMs = at - clock.now();
    if (leftMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancelTimer = clock.after(leftMs, resolve);
      this.#onSettled = () => {
        cancelTimer();
        resolve();
      };
      this.#tellWhenSettled();
    });
  }

  #end(write: Write): void {
    this.#underWay.delete(write);
    const { step, outcome, status } = write;
    if (outcome === 'done' && status !== undefined) this.completed.push({ step, status });
    if (outcome === 'unknown') this.#lost.add(step);
    this.#tellWhenSettled();
  }

  #tellWhenSettled(): void {
    // Those that were not sent have been called off by now.
    if ([...this.#underWay].every(({ isSent }) => !isSent)) this.#onSettled?.();
  }
}

/** One write, and what is known of it. */
class Write implements WriteWatch {
  readonly step: string;
  /** Its first byte went to a socket, so that it may have been carried out. */
  isSent = false;
  status: number | undefined;
  outcome: 'open' | 'done' | 'refused' | 'unknown' = 'open';
  readonly #onEnd: (write: Write) => void;

  constructor(step: string, onEnd: (write: Write) => void) {
    this.step = step;
    this.#onEnd = onEnd;
  }

  onSent(): void {
    this.isSent = true;
    // Another attempt: what an earlier one was answered does not count any more.
    this.status = undefined;
  }

  onAnswered(status: number): void {
    this.status = status;
  }

  succeed(status: number): void {
    this.status = status;
    this.outcome = 'done';
    this.#onEnd(this);
  }

  /** An answer that cannot be read is an answer: a 2xx says that the write was done. */
  fail(error: unknown): void {
    const isDone = this.status !== undefined && this.status >= 200 && this.status <= 299;
    const isAnswered = error instanceof UpstreamError && error.kind === 'status';
    if (isDone) this.outcome = 'done';
    else if (!this.isSent || isAnswered || this.status !== undefined) this.outcome = 'refused';
    else this.outcome = 'unknown';
    this.#onEnd(this);
  }
}

export type { Write };
