/** One run of a step that takes time, for all items of its frame, until its column is complete. */
import { ExecutionError, UpstreamError } from '../errors.ts';
import type { TimedStep } from '../plan/plan.ts';
import type { Trace } from '../trace.ts';
import { settle } from './block.ts';
import type { StepRun } from './execution.ts';
import { Failure, indexPath } from './frame.ts';
import type { BlockOwner, Column, Frame } from './frame.ts';
import { missingInAll, noteMissing } from './missing.ts';
import { StepError } from './step-error.ts';
import type { Degradation } from './step-error.ts';
import { isTolerable } from './tolerate.ts';

const none: readonly Degradation[] = [];

interface FailureFacts {
  /** The item that has failed, if it is one. */
  readonly item: number | undefined;
  readonly isUncertain?: boolean;
}

/** Collects the results of a step by item. Only the first result of an item counts. */
export class Work implements BlockOwner {
  readonly frame: Frame;
  readonly step: TimedStep;
  /** Absent if the step is not watched, and inside `each`, where there are too many steps. */
  readonly watched: StepRun | undefined;
  /** The frames inside this step, if it has a `withinMs`. */
  readonly inside: Frame[] | undefined;
  readonly #onEnd: ((failure?: unknown) => void) | undefined;
  /** The results by item; a hole for items without one. */
  #column: unknown[];
  /** The number of items without a result; one more until the step has begun for all of them. */
  #left: number;
  #failure: Failure | undefined;
  #onOver: (() => void) | undefined;
  /** The error behind the first failure, as it was thrown. */
  #error: unknown;

  constructor(frame: Frame, step: TimedStep) {
    this.frame = frame;
    this.step = step;
    this.#column = Array<unknown>(frame.width);
    this.#left = frame.width + 1;
    this.inside = step.limitMs === undefined ? undefined : [];
    const { watchStep, request, signal } = frame.execution;
    if (watchStep === undefined || frame.block.repeated) return;
    this.watched = {
      step,
      request,
      signal,
      trace: frame.trace,
      skipped: false,
      items: undefined,
      reply: undefined,
    };
    this.#onEnd = watchStep(this.watched);
  }

  /** The trace of its calls and inner blocks. */
  get trace(): Trace | undefined {
    return this.watched === undefined ? this.frame.trace : this.watched.trace;
  }

  /** The `bounds` of its inner frames. */
  get bounds(): Frame['bounds'] {
    const { frame, inside } = this;
    return inside === undefined ? frame.bounds : [...(frame.bounds ?? []), inside];
  }

  get isOver(): boolean {
    return this.#left === 0;
  }

  /** Calls `listener` when the step is over. */
  onceOver(listener: () => void): void {
    this.#onOver = listener;
  }

  /** To be called when the step has begun for all items. */
  hasBegun(): void {
    this.#count();
  }

  succeed(item: number, value: unknown, missing: readonly Degradation[] = none): void {
    if (this.isOver) return;
    this.#column[item] = value;
    noteMissing(this.frame, this.step, { item, parts: missing });
    this.#count();
  }

  /** Takes the values of all items at once; none of them may have a result yet. */
  succeedTogether(column: unknown[]): void {
    if (this.isOver) return;
    this.#column = column;
    this.#left -= column.length - 1;
    this.#count();
  }

  /** `error` as it was thrown; `failure` if that is already the failure of another step. */
  fail(item: number, error: unknown, failure = this.failureOf(error, { item })): void {
    if (this.isOver) return;
    this.#column[item] = failure;
    if (this.#failure === undefined) {
      this.#failure = failure;
      this.#error = error;
    }
    if (this.#left > 1 && this.#dooms(failure)) this.#giveUp(failure);
    else this.#count();
  }

  failAll(items: readonly number[], error: unknown): void {
    const failure = this.failureOf(error, { item: items.length === 1 ? items[0] : undefined });
    for (const item of items) this.fail(item, error, failure);
  }

  /** Fails all items without a result. */
  failOpen(error: unknown, failure: Failure): void {
    for (let item = 0; item < this.frame.width; item += 1)
      if (!(item in this.#column)) this.fail(item, error, failure);
  }

  hasFailed(item: number): boolean {
    return this.#column[item] instanceof Failure;
  }

  /** Errors of calls become errors of this step; a StepError keeps its own step. */
  failureOf(error: unknown, { item, isUncertain }: FailureFacts): Failure {
    const isOwn = error instanceof UpstreamError || error instanceof ExecutionError;
    if (!isOwn) return new Failure(error);
    const { step, frame } = this;
    const isOfClient =
      (step.kind === 'call' && step.clientInputs.length > 0) ||
      (step.kind === 'each' && step.clientList !== undefined);
    const indexes = isOfClient && item !== undefined ? indexPath(frame, item) : undefined;
    return new Failure(new StepError(step, error, { isUncertain, indexes }));
  }

  /** Whether the block fails with any item, whatever the failure is. */
  get failsAtOnce(): boolean {
    const { dooms } = this.step;
    const { degraded } = this.frame.execution.plan;
    return dooms === 'always' || (dooms === 'untolerated' && degraded === 'fail');
  }

  /** Whether the block fails with the item, so that it need not wait for the other items. */
  #dooms(failure: Failure): boolean {
    if (this.failsAtOnce) return true;
    return this.step.dooms === 'untolerated' && !isTolerable(this.frame.execution, failure);
  }

  #giveUp(failure: Failure): void {
    const column = this.#column;
    for (let item = 0; item < column.length; item += 1)
      if (!(item in column)) column[item] = failure;
    this.#left = 0;
    this.#finish();
  }

  #count(): void {
    if (this.isOver) return;
    this.#left -= 1;
    if (this.isOver) this.#finish();
  }

  #finish(): void {
    this.#onOver?.();
    if (this.#onEnd !== undefined) {
      if (this.#failure === undefined) this.#onEnd();
      else this.#onEnd(this.#error);
    }
    settle(this.frame, this.step, this.#column, this.#failure);
  }

  /** Called with the result of a `given`, or of an `each` whose items run together. */
  onColumn(inner: Frame, column: Column): void {
    const value = this.step.kind === 'given' ? column[0] : column;
    this.succeed(inner.at, value, missingInAll(inner));
  }

  onFailure({ at }: Frame, failure: Failure): void {
    this.fail(at, failure.error, failure);
  }
}
