/** The failure of a step, which a guard may tolerate. */
import { StacklessError } from '../errors.ts';
import type { ExecutionError, UpstreamError } from '../errors.ts';
import type { Step } from '../plan/plan.ts';

/** The failure of a step, for the given `reason`. */
export class StepError extends StacklessError {
  override readonly name = 'StepError';
  /** The step that failed first; steps that needed its value fail with the same error. */
  readonly step: Step;
  readonly reason: UpstreamError | ExecutionError;

  /** Whether it was a write that was sent and has an unknown result. */
  readonly isUncertain: boolean;

  constructor(
    step: Step,
    reason: UpstreamError | ExecutionError,
    { isUncertain = false }: { readonly isUncertain?: boolean } = {},
  ) {
    super(`step "${step.name}": ${reason.message}`, { cause: reason });
    this.step = step;
    this.reason = reason;
    this.isUncertain = isUncertain;
  }
}

/** A tolerated failure: the parts of the response that are missing, and why. */
export interface Degradation {
  /** The name of the tolerated step. */
  readonly step: string;
  readonly error: StepError;
  /** JSON Pointers into the response. */
  readonly pointers: readonly string[];
}
