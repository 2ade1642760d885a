/** The shapes of one request on its way through a plan. */
import type { InputName } from '../dsl/node.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { Reply } from '../upstream/call.ts';
import type { Calls } from '../upstream/upstreams.ts';
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
  /** Counts the requests sent to services on its behalf. */
  readonly sent: { count: number };
  /** Filled in: the steps of unsafe calls that succeeded, which a later failure cannot take back. */
  readonly completed: string[];
}

export interface Outcome {
  readonly value: unknown;
  readonly degraded: readonly Degradation[];
  /** How long it may be kept as far as the replies it is made of say. */
  readonly freshness: Freshness;
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
  /** What answered a call. */
  reply: Pick<Reply, 'deduplicated' | 'cache'> | undefined;
}

/**
 * Told when a step begins; what it gives back is told when that step has ended, with its failure if it
 * failed. Steps inside `each` run too often to be watched one by one.
 */
export type WatchStep = (run: StepRun) => (failure?: unknown) => void;

/** Told how each call of a step ended, those inside `each` too: with a reply, or a failure. */
export type OnLoad = (operation: Operation, reply: Reply | undefined, failure?: unknown) => void;

/** Everything that lives as long as one request. */
export interface Execution {
  readonly plan: Plan;
  readonly request: EngineRequest;
  readonly calls: Calls;
  readonly watchStep: WatchStep | undefined;
  readonly onLoad: OnLoad | undefined;
  /** Whether steps that can be missed are left out. */
  readonly shedsSteps: boolean;
  /** What the replies so far leave; not looked at where nothing may be kept anyway. */
  freshness: Freshness;
}
