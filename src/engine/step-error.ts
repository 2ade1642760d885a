/** The failure of a step, on its way to whoever tolerates it, or to the client. */
import type { ExecutionError, UpstreamError } from '../errors.ts';
import type { Step } from '../plan/plan.ts';

/** A step failed. `reason` says of what. */
export class StepError extends Error {
  override readonly name = 'StepError';
  /** The step where it happened; steps that needed its value fail with the same error. */
  readonly step: Step;
  readonly reason: UpstreamError | ExecutionError;

  constructor(step: Step, reason: UpstreamError | ExecutionError) {
    super(`step "${step.name}": ${reason.message}`, { cause: reason });
    this.step = step;
    this.reason = reason;
  }
}

/** A tolerated failure: what is missing, where, and why. */
export interface Degradation {
  /** The name of the tolerated step. */
  readonly step: string;
  readonly error: StepError;
  /** JSON Pointers into the response. */
  readonly pointers: readonly string[];
}
