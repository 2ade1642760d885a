/** Performs steps that take time: they begin for all items, and end with a complete column. */
import { ExecutionError } from '../errors.ts';
import type { TimedStep } from '../plan/plan.ts';
import { indexesUpTo } from '../upstream/sharing/load.ts';
import { callService, loadKeys } from './call-service.ts';
import { settle } from './block.ts';
import { columnOf, firstFailure } from './column.ts';
import { valueOf } from './frame.ts';
import type { Blocked, Frame } from './frame.ts';
import { runEach, runGiven } from './each-and-given.ts';
import { asksSecondSource, runInstead } from './instead.ts';
import { endAfter, noteTime, timeLeft } from './late.ts';
import { Work } from './work.ts';

/** Begins a step for all items that are not blocked; it settles its column in the frame. */
export function perform(frame: Frame, step: TimedStep, blocked: Blocked): void {
  if (step.kind === 'instead' && !asksSecondSource(frame, step)) {
    const column = columnOf(frame, blocked, (item) => valueOf(frame, step.guarded, item));
    return settle(frame, step, column, firstFailure(column));
  }
  const work = new Work(frame, step);
  const items = openItems(work, blocked);
  if (step.limitMs !== undefined) noteTime(work);
  if (frame.execution.shedsSteps && step.mayBeShed) {
    frame.execution.onStepShed?.();
    work.failAll(items, new ExecutionError('shed', 'left out: the gateway is overloaded'));
  } else if (step.kind === 'call' && step.lookup !== undefined)
    loadKeys(work, step, step.lookup, items);
  else for (const item of items) run(work, step, item);
  work.hasBegun();
  if (step.limitMs !== undefined && !work.isOver) endAfter(work, timeLeft(work));
}

/** The items that are not blocked. Blocked ones get their failures. */
function openItems(work: Work, blocked: Blocked): readonly number[] {
  const all = indexesUpTo(work.frame.width);
  if (blocked === undefined) return all;
  return all.filter((item) => {
    const failure = blocked[item];
    if (failure !== undefined) work.fail(item, failure.error, failure);
    return failure === undefined;
  });
}

function run(work: Work, step: TimedStep, item: number): void {
  if (work.isOver) return;
  try {
    switch (step.kind) {
      case 'call':
        return callService(work, step, item);
      case 'instead':
        return runInstead(work, step, item);
      case 'given':
        return runGiven(work, step, item);
      case 'each':
        return runEach(work, step, item);
      default:
        return step satisfies never;
    }
  } catch (error) {
    work.fail(item, error);
  }
}
