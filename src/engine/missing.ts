/** The parts that are missing in values, since a guard has tolerated a failure. */
import { toPointer } from '../json.ts';
import type { GuardStep, InsteadStep, ResponsePath, Step } from '../plan/plan.ts';
import { Failure, frameOf, itemIn, stepOf, valueOf } from './frame.ts';
import type { Frame } from './frame.ts';
import type { Degradation, StepError } from './step-error.ts';

const nothing: readonly Degradation[] = [];

/** The parts missing in the value of a complete block for one item. */
export function missingIn(frame: Frame, item: number): readonly Degradation[] {
  const { degradedBy } = frame.block;
  for (let index = 0; index < degradedBy.length; index += 1)
    if (partsMissingIn(frame, degradedBy[index], item) !== undefined)
      return partsOfSources(frame, item);
  return nothing;
}

/** The parts missing in the values of a block for all its items, without duplicates. */
export function missingInAll(frame: Frame): readonly Degradation[] {
  if (frame.width === 1) return missingIn(frame, 0);
  const missing = new Set<Degradation>();
  for (let item = 0; item < frame.width; item += 1)
    for (const one of missingIn(frame, item)) missing.add(one);
  return missing.size === 0 ? nothing : [...missing];
}

function partsOfSources(frame: Frame, item: number): readonly Degradation[] {
  const { degradedBy, needs } = frame.block;
  const found: Degradation[] = [];
  let sources: ReadonlySet<number> | undefined;
  for (const id of degradedBy) {
    const parts = partsMissingIn(frame, id, item);
    if (parts === undefined) continue;
    // Most often the block needs the guard itself, and nothing has to be searched.
    if (needs.includes(id) || (sources ??= sourcesOf(frame, item)).has(id)) found.push(...parts);
  }
  return found.length < 2 ? found : [...new Set(found)];
}

/** The steps from which the value of a block derives, for an item. */
function sourcesOf(frame: Frame, item: number): ReadonlySet<number> {
  const sources = new Set<number>();
  for (const id of frame.block.needs) addSources(sources, frame, id, item);
  return sources;
}

function partsMissingIn(
  frame: Frame,
  id: number | undefined,
  item: number,
): readonly Degradation[] | undefined {
  const step = stepOf(frame, id);
  const holder = frameOf(frame, step);
  const column = holder.missing?.[step.slot];
  return column?.[itemIn(frame, holder, item)];
}

/**
 * Adds the steps from which the value of a step derives, for an item. A failure derives from the
 * first need that has failed with it: whether the others had their values by then is a matter of
 * timing.
 */
function addSources(sources: Set<number>, frame: Frame, id: number, item: number): void {
  if (sources.has(id)) return;
  sources.add(id);
  const step = stepOf(frame, id);
  const holder = frameOf(frame, step);
  const own = itemIn(frame, holder, item);
  const value = valueOf(holder, id, own);
  const failed =
    value instanceof Failure && step.needs.find((need) => valueOf(holder, need, own) === value);
  for (const need of typeof failed === 'number' ? [failed] : step.needs)
    addSources(sources, holder, need, own);
}

/** Notes the parts missing in the value of a step for one item. */
export function noteMissing(
  frame: Frame,
  { slot }: Step,
  { item, parts }: { readonly item: number; readonly parts: readonly Degradation[] },
): void {
  if (parts.length === 0) return;
  const missing = (frame.missing ??= []);
  const column = missing[slot] ?? Array<readonly Degradation[] | undefined>(frame.width);
  column[item] = parts;
  missing[slot] = column;
}

/** The part that is missing in an item, where the value of a guard or second source lands. */
export function missingPart(
  frame: Frame,
  step: GuardStep | InsteadStep,
  { error, item }: { readonly error: StepError; readonly item: number },
): Degradation {
  const { paths } = step;
  // A step that is run for its effect is not missing at any particular path.
  const pointers = paths.length === 0 ? [''] : paths.map((path) => pointerTo(frame, path, item));
  const isReplaced = step.kind === 'instead';
  return { step: isReplaced ? step.first : step.name, error, pointers, isReplaced };
}

/** The JSON Pointer (RFC 6901) of a path in the response, for an item of a frame. */
function pointerTo(frame: Frame, path: ResponsePath, item: number): string {
  return toPointer(
    path.map((part) => (typeof part === 'string' ? part : indexAt(frame, part, item))),
  );
}

/** The list index of the item for which the frame at `depth`, this or an outer one, runs. */
function indexAt(frame: Frame, depth: number, item: number): string {
  const holder = frameOf(frame, { depth });
  return String(holder.base + itemIn(frame, holder, item));
}
