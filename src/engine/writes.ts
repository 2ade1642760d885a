/** The writes of one request: which were done, and which have an unknown result. */
import type { Clock } from '../clock.ts';
import { UpstreamError } from '../errors.ts';
import type { WriteWatch } from '../upstream/call.ts';

/** A write that was done: a failure of the request does not undo it. */
export interface CompletedWrite {
  readonly step: string;
  /** The status of the service's answer. */
  readonly status: number;
}

/** The origin of a write: its step, which has its name in problems, and facts of the engine. */
interface WriteOrigin {
  readonly step: { readonly name: string };
}

export class Writes<Origin extends WriteOrigin> {
  readonly completed: CompletedWrite[] = [];
  /** The origins of writes that were sent and ended without an answer. */
  readonly #lost: Origin[] = [];
  /** The origins of writes that were done, or have an unknown result. */
  readonly #origins: Origin[] = [];
  readonly #underWay = new Set<Write<Origin>>();
  #onSettled: (() => void) | undefined;

  begin(origin: Origin, headers?: WriteWatch['headers']): Write<Origin> {
    const write = new Write(origin, headers, (ended) => this.#end(ended));
    this.#underWay.add(write);
    return write;
  }

  /** The steps of writes that were sent and whose result is unknown so far. */
  get uncertain(): readonly string[] {
    return [...new Set(this.#uncertainOrigins().map(({ step }) => step.name))];
  }

  /** Whether a write of any of these steps has an unknown result, or may still be sent. */
  mayBeDoneIn(steps: ReadonlySet<string>): boolean {
    const open = [...this.#underWay].map(({ origin }) => origin);
    return [...this.#lost, ...open].some(({ step }) => steps.has(step.name));
  }

  /** Whether a write of one of these origins was done, or may have been, or may still be sent. */
  mayBeDoneBy(isOne: (origin: Origin) => boolean): boolean {
    return this.#origins.some(isOne) || [...this.#underWay].some(({ origin }) => isOne(origin));
  }

  /** Whether a write of one of these origins was sent and has an unknown result so far. */
  isUncertainBy(isOne: (origin: Origin) => boolean): boolean {
    return this.#uncertainOrigins().some(isOne);
  }

  #uncertainOrigins(): Origin[] {
    const running = [...this.#underWay].filter(({ isSent }) => isSent);
    return [...this.#lost, ...running.map(({ origin }) => origin)];
  }

  /** Resolves when no write that was sent is under way, or at the time `at`. */
  settledBefore(clock: Clock, at: number): Promise<void> {
    const leftMs = at - clock.now();
    if (leftMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancelTimer = clock.after(leftMs, resolve);
      this.#onSettled = () => {
        cancelTimer();
        resolve();
      };
      this.#resolveIfSettled();
    });
  }

  #end(write: Write<Origin>): void {
    this.#underWay.delete(write);
    const { step, state, status, origin } = write;
    if (state !== 'rejected') this.#origins.push(origin);
    if (state === 'done' && status !== undefined) this.completed.push({ step, status });
    if (state === 'unknown') this.#lost.push(origin);
    this.#resolveIfSettled();
  }

  #resolveIfSettled(): void {
    // Writes that were not sent have been cancelled by now.
    if ([...this.#underWay].every(({ isSent }) => !isSent)) this.#onSettled?.();
  }
}

/** One write, and what is known about its result. */
class Write<Origin extends WriteOrigin> implements WriteWatch {
  readonly origin: Origin;
  readonly headers: WriteWatch['headers'];
  /** Whether its first byte went to a socket, so that it may have been carried out. */
  isSent = false;
  status: number | undefined;
  state: 'open' | 'done' | 'rejected' | 'unknown' = 'open';
  /** Whether an earlier attempt may have been carried out: a later rejection does not deny that. */
  #mayBeDone = false;
  readonly #onEnd: (write: Write<Origin>) => void;

  constructor(
    origin: Origin,
    headers: WriteWatch['headers'],
    onEnd: (write: Write<Origin>) => void,
  ) {
    this.origin = origin;
    this.headers = headers;
    this.#onEnd = onEnd;
  }

  get step(): string {
    return this.origin.step.name;
  }

  onSent(): void {
    if (this.isSent && isInconclusive(this.status)) this.#mayBeDone = true;
    this.isSent = true;
    // Another attempt was sent, so the answer to an earlier one no longer counts.
    this.status = undefined;
  }

  onAnswered(status: number): void {
    this.status = status;
  }

  succeed(status: number): void {
    this.status = status;
    // A 404 that means `null` has changed nothing, unless an earlier attempt did.
    this.state = status <= 299 ? 'done' : this.#mayBeDone ? 'unknown' : 'rejected';
    this.#onEnd(this);
  }

  /**
   * An unreadable answer is an answer, too: a 2xx means that the write was done, unless the answer
   * itself says that it is a failure.
   */
  fail(error: unknown): void {
    const isAnswered = error instanceof UpstreamError && error.kind === 'status';
    const status = isAnswered ? error.status : this.status;
    if (status !== undefined && status >= 200 && status <= 299) this.state = 'done';
    else if (!this.isSent) this.state = 'rejected';
    else this.state = this.#mayBeDone || isInconclusive(status) ? 'unknown' : 'rejected';
    this.#onEnd(this);
  }
}

/**
 * Whether an answer leaves open if the write was done: there is none, or a 502 or 504, by which a
 * proxy in front of the service says that it got none.
 */
function isInconclusive(status: number | undefined): boolean {
  return status === undefined || status === 502 || status === 504;
}

export type { Write };
