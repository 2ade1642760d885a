/** The writes in a step and in the blocks inside it, for one of its items. */
import { frameOf, itemIn, stepOf } from './frame.ts';
import type { Frame, StepOfItem } from './frame.ts';

/** Whether a write in the step was done for the item, or may have been, or may still be sent. */
export function mayHaveWritten(place: StepOfItem): boolean {
  const { writes } = place.frame.execution;
  return writes !== undefined && writes.mayBeDoneBy((origin) => isWithin(origin, place));
}

/** Whether a write in the step was sent for the item and has an unknown result so far. */
export function hasUncertainWrite(place: StepOfItem): boolean {
  const { writes } = place.frame.execution;
  return writes !== undefined && writes.isUncertainBy((origin) => isWithin(origin, place));
}

/** Whether a write was made in the step, or in the one whose second source that is. */
function isWithin(origin: StepOfItem, { frame, step, item }: StepOfItem): boolean {
  const holder = frameOf(frame, step);
  const own = itemIn(frame, holder, item);
  if (origin.frame === holder && origin.step === step && origin.item === own) return true;
  const entry = entryOf(origin.frame, holder);
  if ('block' in step && entry?.block === step.block && entry.at === own) return true;
  if (step.kind !== 'instead') return false;
  return isWithin(origin, { frame: holder, step: stepOf(holder, step.guarded), item: own });
}

/** The frame directly inside `holder` through which `frame` is inside; absent if it is not. */
function entryOf(frame: Frame, holder: Frame): Frame | undefined {
  let current: Frame | undefined = frame;
  while (current !== undefined && current.parent !== holder) current = current.parent;
  return current;
}
