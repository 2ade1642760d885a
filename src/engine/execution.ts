/** The shapes of one execution of a plan: its request, its outcome, and hooks for telemetry. */
import type { InputName } from '../dsl/node.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Step } from '../plan/plan.ts';
import type { Reply } from '../upstream/call.ts';
import type { Signal } from '../signal.ts';
import type { Trace } from '../trace.ts';
import type { Freshness } from './response-freshness.ts';
import type { Degradation } from './step-error.ts';
import type { CompletedWrite } from './writes.ts';

export interface EngineRequest {
  readonly inputs: Readonly<Record<InputName, unknown>>;
  /** A header of the client's request, by its lower-case name. */
  header(name: string): string | undefined;
  /** Its deadline, on the clock's scale. */
  readonly deadlineAt: number;
  /** Registers a listener for the disconnect of the client. */
  onDisconnect(listener: () => void): void;
  readonly trace: Trace | undefined;
  /** Its id in problems and logs, for services. Default: none. */
  readonly requestId?: string | undefined;
  /** An object that stands for the client's request, by which telemetry recognises its steps. */
  readonly owner: object;
}

/** How an execution ended: with the value of the response, or with an error. */
export type Outcome = Answered | Failed;

export interface Answered extends Consequences {
  readonly kind: 'answered';
  readonly value: unknown;
  /** The status and headers that the plan's `answer` gives; absent if it has none. */
  readonly beside: AnsweredBeside | undefined;
  readonly degraded: readonly Degradation[];
  /** How long the response may be cached, according to the replies that it contains. */
  readonly freshness: Freshness;
}

/** The values of a status and of headers, unchecked; headers in the order of the plan's. */
export interface AnsweredBeside {
  readonly status: unknown;
  readonly headers: readonly unknown[];
}

export interface Failed extends Consequences {
  readonly kind: 'failed';
  /**
   * A StepError if a required step failed, a RequestError if that was the client's mistake, an
   * ExecutionError if the request as a whole cannot be answered. Anything else is a bug.
   */
  readonly error: unknown;
}

interface Consequences {
  /** Requests sent to services; one that several client requests share counts for the first. */
  readonly sent: number;
  /** The writes that were done: a later failure does not undo them. */
  readonly completed: readonly CompletedWrite[];
  /** The steps whose writes were sent and have an unknown result, each once. */
  readonly uncertain: readonly string[];
}

/** One run of a step that telemetry may watch. */
export interface StepRun {
  readonly step: Step;
  readonly request: EngineRequest;
  /** Aborted when the request is over. */
  readonly signal: Signal;
  /** That of the request or of the step around; a watcher may replace it by its own. */
  trace: Trace | undefined;
  /** Whether a `given` had no value to run on. */
  skipped: boolean;
  /** The number of items of an `each`. */
  items: number | undefined;
  /** The reply of a call. */
  reply: Pick<Reply, 'deduplicated' | 'cache'> | undefined;
}

/**
 * Called when a step begins; the returned function is called when it ends, with its failure if it
 * has failed. Steps inside `each` are not watched, since there are too many of them.
 */
export type WatchStep = (run: StepRun) => (failure?: unknown) => void;

/** The watcher of the steps of a request; `undefined` if they are not watched. */
export type WatchSteps = (request: EngineRequest) => WatchStep | undefined;

/** Called when calls of a step have ended, also inside `each`. */
export type OnCallEnd = (end: CallEnd) => void;

export interface CallEnd {
  readonly operation: Operation;
  /** Absent if the calls have failed. */
  readonly reply: Reply | undefined;
  readonly failure: unknown;
  /** The number of calls, or keys of a load, that ended in this way together. */
  readonly count: number;
}
