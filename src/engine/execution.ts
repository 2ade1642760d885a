/** The shapes of one request on its way through a plan. */
import type { InputName } from '../dsl/node.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Step } from '../plan/plan.ts';
import type { Reply } from '../upstream/call.ts';
import type { Trace } from '../trace.ts';
import type { Freshness } from './freshness.ts';
import type { Degradation } from './step-error.ts';

export interface EngineRequest {
  readonly inputs: Readonly<Record<InputName, unknown>>;
  /** A header of the client's request, by its lower-case name. */
  header(name: string): string | undefined;
  /** When it has to be over, on the clock's scale. */
  readonly deadlineAt: number;
  /** Registers what to do when the client goes away. */
  onDisconnect(listener: () => void): void;
  /** Opaque: what telemetry needs to know about the request. */
  readonly trace: Trace | undefined;
  /** Whose request it is, as an identity only: telemetry recognises the steps of a request by it. */
  readonly owner: object;
}

/** How a request ended: with the value of its response, or with an error. */
export type Outcome = Answered | Failed;

export interface Answered extends Consequences {
  readonly kind: 'answered';
  readonly value: unknown;
  readonly degraded: readonly Degradation[];
  /** How long it may be kept as far as the replies it is made of say. */
  readonly freshness: Freshness;
}

export interface Failed extends Consequences {
  readonly kind: 'failed';
  /**
   * A StepError when a required step failed, a RequestError when that was the client's mistake, an
   * ExecutionError when the request as a whole cannot be answered; anything else is a bug.
   */
  readonly error: unknown;
}

interface Consequences {
  /** Requests sent to services; one that several client requests share counts for the first. */
  readonly sent: number;
  /** Steps of unsafe calls that succeeded: a failure cannot take them back. */
  readonly completed: readonly string[];
}

/** One run of a step that telemetry may watch. */
export interface StepRun {
  readonly step: Step;
  readonly request: EngineRequest;
  /** The request's or the surrounding step's; whoever watches may put its own here. */
  trace: Trace | undefined;
  /** `given` had nothing to run on. */
  skipped: boolean;
  /** How many items `each` ran for. */
  items: number | undefined;
  /** The reply to a call. */
  reply: Pick<Reply, 'deduplicated' | 'cache'> | undefined;
}

/**
 * Told when a step begins; what it gives back is told when that step has ended, with its failure if it
 * failed. Steps inside `each` run too often to be watched one by one.
 */
export type WatchStep = (run: StepRun) => (failure?: unknown) => void;

/** Who watches the steps of a request; `undefined`: nobody does. */
export type WatchSteps = (request: EngineRequest) => WatchStep | undefined;

/** Told how calls of a step ended, those inside `each` too. */
export type OnCallEnd = (end: CallEnd) => void;

export interface CallEnd {
  readonly operation: Operation;
  /** Absent: it failed. */
  readonly reply: Reply | undefined;
  readonly failure: unknown;
  /** So many calls, or keys of a load, ended in this way at once. */
  readonly count: number;
}
