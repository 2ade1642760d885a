/** Tolerates failures: guards have a value instead, and second sources are asked for one. */
import type { GuardStep, InsteadStep } from '../plan/plan.ts';
import { columnOf } from './column.ts';
import { Failure, frameOf, itemIn, stepOf, unmetNeed, valueOf, waiting } from './frame.ts';
import type { Column, Execution, Frame } from './frame.ts';
import { missingPart, noteMissing } from './missing.ts';
import { StepError } from './step-error.ts';
import { hasUncertainWrite } from './writes-within.ts';

/** The column of a guard: that of its step, with replacements for the items that have failed. */
export function tolerated(frame: Frame, guard: GuardStep): Column | undefined {
  const guarded = stepOf(frame, guard.guarded);
  const holder = frameOf(frame, guarded);
  const state = holder.values[guarded.slot];
  if (state === undefined || typeof state === 'symbol') return undefined;
  const hasFailures = holder.failures?.[guarded.slot] !== undefined;
  if (holder === frame && !hasFailures) return state;
  return columnOf(frame, undefined, (item) => {
    const value = state[itemIn(frame, holder, item)];
    return value instanceof Failure ? replacement(frame, guard, { failure: value, item }) : value;
  });
}

function replacement(
  frame: Frame,
  guard: GuardStep,
  { failure, item }: { readonly failure: Failure; readonly item: number },
): unknown {
  if (!isTolerable(frame.execution, failure)) return failure;
  const first = failure.error as StepError; // no other is tolerable
  // Of a block that has failed with another of its steps, a write may be under way.
  const isUncertain = hasUncertainWrite({ frame, step: stepOf(frame, guard.guarded), item });
  const error = isUncertain && !first.isUncertain ? first.toUncertain() : first;
  noteMissing(frame, guard, { item, parts: [missingPart(frame, guard, { error, item })] });
  return guard.instead;
}

/** Whether a guard may replace the failed value. */
export function isTolerable({ plan }: Execution, { error }: Failure): boolean {
  return (
    error instanceof StepError && plan.degraded === 'allow' && error.reason.kind !== 'disconnected'
  );
}

/** Like `unmetNeed`, but a failure of the step that has a second source is met. */
export function unmetBeside(frame: Frame, step: InsteadStep): ReturnType<typeof unmetNeed> {
  const guarded = stepOf(frame, step.guarded);
  const isSettled = typeof frameOf(frame, guarded).values[guarded.slot] === 'object';
  return isSettled ? unmetNeed(frame, step.after ?? []) : waiting;
}

/** Whether the step that is tolerated has failed for any item of the frame. */
export function hasFailed(frame: Frame, step: GuardStep | InsteadStep): boolean {
  const guarded = stepOf(frame, step.guarded);
  const holder = frameOf(frame, guarded);
  if (holder.failures?.[guarded.slot] === undefined) return false;
  return holder === frame || valueOf(frame, step.guarded, 0) instanceof Failure;
}
