/**
 * `fallback` with a function: a second source, which is asked for the items for which a step has
 * failed, and for no others.
 */
import type { StepFailure } from '../dsl/guards.ts';
import { frozen } from '../frozen.ts';
import type { InsteadStep } from '../plan/plan.ts';
import { indexesUpTo } from '../upstream/sharing/load.ts';
import { runBlock } from './block.ts';
import { inner } from './each-and-given.ts';
import { Failure, stepOf, valueOf } from './frame.ts';
import type { BlockOwner, Column, Frame } from './frame.ts';
import { timeLeft } from './late.ts';
import { missingInAll, missingPart } from './missing.ts';
import { StepError } from './step-error.ts';
import { isTolerable } from './tolerate.ts';
import type { Work } from './work.ts';
import { mayHaveWritten } from './writes-within.ts';

/** Whether the second source is asked for any item. If not, the step has nothing to do. */
export function asksSecondSource(frame: Frame, step: InsteadStep): boolean {
  return indexesUpTo(frame.width).some((item) => {
    const first = valueOf(frame, step.guarded, item);
    return first instanceof Failure && mayBegin(frame, step, { first, item });
  });
}

/** Takes the value of the step, or runs the block if that has failed for the item. */
export function runInstead(work: Work, step: InsteadStep, item: number): void {
  const first = valueOf(work.frame, step.guarded, item);
  if (!(first instanceof Failure)) return work.succeed(item, first);
  const { error } = first;
  if (!(error instanceof StepError) || !mayBegin(work.frame, step, { first, item }))
    return work.fail(item, error, first);
  const owner = new SecondSource(work, step, error);
  const items = [failureOf(error)];
  runBlock(inner(work, { block: step.block, items, at: item, base: 0, owner }));
}

/** `failure` as the block gets it. */
function failureOf({ reason }: StepError): StepFailure {
  const status = ('status' in reason && reason.status) || null;
  return frozen({ kind: reason.kind as StepFailure['kind'], status }); // by `mayBegin`
}

interface Failed {
  readonly first: Failure;
  readonly item: number;
}

/** Never after the end of the request, under overload, or where a write may be done twice. */
function mayBegin(frame: Frame, step: InsteadStep, { first, item }: Failed): boolean {
  const { execution } = frame;
  if (!isTolerable(execution, first) || execution.signal.aborted) return false;
  const { reason, isUncertain } = first.error as StepError; // no other is tolerable
  if (isUncertain) return false;
  if (reason.kind === 'deadline' || reason.kind === 'shed' || reason.kind === 'aborted')
    return false;
  const isInTime = timeLeft({ frame, step }) > 0;
  return isInTime && !mayHaveWritten({ frame, step: stepOf(frame, step.guarded), item });
}

/** Gets the value of the second source, and says that it is one. */
class SecondSource implements BlockOwner {
  readonly #work: Work;
  readonly #step: InsteadStep;
  readonly #first: StepError;

  constructor(work: Work, step: InsteadStep, first: StepError) {
    this.#work = work;
    this.#step = step;
    this.#first = first;
  }

  onColumn(frame: Frame, [value]: Column): void {
    const work = this.#work;
    const missing = missingPart(work.frame, this.#step, { error: this.#first, item: frame.at });
    work.succeed(frame.at, value, [missing, ...missingInAll(frame)]);
  }

  /** The first failure stands: the second only says why nothing has replaced it. */
  onFailure({ at, execution }: Frame, failure: Failure): void {
    const { error } = failure;
    if (!(error instanceof StepError) || !isTolerable(execution, failure))
      return this.#work.fail(at, error, failure);
    const { step, reason, indexes } = this.#first;
    const { isUncertain } = error;
    const both = new StepError(step, reason, { indexes, isUncertain, second: error });
    this.#work.fail(at, both, new Failure(both));
  }
}
