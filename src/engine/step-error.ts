/** The failure of a step, which a guard may tolerate. */
import { StacklessError } from '../errors.ts';
import type { ExecutionError, UpstreamError } from '../errors.ts';
import type { Step } from '../plan/plan.ts';

interface StepErrorOptions {
  readonly isUncertain?: boolean | undefined;
  readonly indexes?: readonly number[] | undefined;
  /** The failure of the second source that was asked instead. */
  readonly second?: StepError | undefined;
}

/** The failure of a step, for the given `reason`. */
export class StepError extends StacklessError {
  override readonly name = 'StepError';
  /** The step that failed first; steps that needed its value fail with the same error. */
  readonly step: Step;
  readonly reason: UpstreamError | ExecutionError;

  /** The message of the reason, and of the failure of a second source; for logs. */
  readonly why: string;

  /** Whether it was a write that was sent and has an unknown result. */
  readonly isUncertain: boolean;
  /**
   * The indexes of its item in the lists around the step, the innermost first. Absent where several
   * items have failed together, or nothing of the client's request is an argument.
   */
  readonly indexes: readonly number[] | undefined;

  constructor(
    step: Step,
    reason: UpstreamError | ExecutionError,
    { isUncertain = false, indexes, second }: StepErrorOptions = {},
  ) {
    const also = second === undefined ? '' : `; instead, ${second.message}`;
    const why = `${reason.message}${also}`;
    super(`step "${step.name}": ${why}`, { cause: second ?? reason });
    this.why = why;
    this.step = step;
    this.reason = reason;
    this.isUncertain = isUncertain;
    this.indexes = indexes;
  }

  /** The same failure, of a step in which a write has an unknown result. */
  toUncertain(): StepError {
    const { step, reason, indexes, cause } = this;
    const second = cause instanceof StepError ? cause : undefined;
    return new StepError(step, reason, { isUncertain: true, indexes, second });
  }
}

/** A tolerated failure: the parts of the response that are missing, and why. */
export interface Degradation {
  /** The name of the tolerated step. */
  readonly step: string;
  readonly error: StepError;
  /** JSON Pointers into the response. */
  readonly pointers: readonly string[];
  /** Whether a second source has given a value instead. */
  readonly isReplaced: boolean;
}
