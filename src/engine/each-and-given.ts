/** Runs the blocks of `given` and `each` in frames of their own, inside the frame of the step. */
import { ExecutionError } from '../errors.ts';
import type { EachStep, GivenStep } from '../plan/plan.ts';
import { failBlock, runBlock } from './block.ts';
import { read } from './fill.ts';
import { Frame } from './frame.ts';
import type { BlockOwner, Column, Failure } from './frame.ts';
import { missingInAll } from './missing.ts';
import { limitOf } from './call-limit.ts';
import type { Work } from './work.ts';

export function runGiven(work: Work, { block, on }: GivenStep, item: number): void {
  const present = read(work.frame, on, item);
  if (present !== null && present !== undefined) {
    runBlock(inner(work, { block, items: [present], at: item, base: 0, owner: work }));
    return;
  }
  if (work.watched !== undefined) work.watched.skipped = true;
  work.succeed(item, null);
}

/**
 * Runs all items in one frame; or each in a frame of its own, if items would otherwise wait for the
 * calls of other items (head-of-line blocking).
 */
export function runEach(work: Work, step: EachStep, item: number): void {
  const { block, over, max, concurrency } = step;
  const list = listFor(read(work.frame, over, item), max);
  if (work.watched !== undefined) work.watched.items = list.length;
  if (list.length === 0) return work.succeed(item, []);
  const limit = limitOf(work.frame, concurrency);
  if (block.together)
    return runBlock(inner(work, { block, items: list, at: item, base: 0, owner: work }, limit));
  const owner = new SeparateItems(work, item, list.length);
  owner.run(
    list.map((one, base) => inner(work, { block, items: [one], at: item, base, owner }, limit)),
  );
}

export function inner(
  { frame, trace, bounds }: Work,
  own: Pick<Frame, 'block' | 'items' | 'at' | 'base' | 'owner'>,
  limit = frame.limit,
): Frame {
  const { execution } = frame;
  const made = new Frame({ ...own, parent: frame, execution, trace, bounds, limit });
  if (bounds !== undefined) for (const inside of bounds) inside.push(made);
  return made;
}

function listFor(list: unknown, max: number): Column {
  if (!Array.isArray(list)) {
    throw new ExecutionError('not-a-list', 'each() was given something that is not a list');
  }
  if (list.length <= max) return list;
  const message = `each() was given ${list.length} items, more than its max of ${max}`;
  throw new ExecutionError('too-many-items', message);
}

/** Items of an `each` that run in frames of their own. The first failure fails all of them. */
class SeparateItems implements BlockOwner {
  readonly #work: Work;
  readonly #item: number;
  readonly #column: unknown[];
  #frames: readonly Frame[] = [];
  #left: number;

  constructor(work: Work, item: number, count: number) {
    this.#work = work;
    this.#item = item;
    this.#column = Array<unknown>(count);
    this.#left = count;
  }

  run(frames: readonly Frame[]): void {
    this.#frames = frames;
    for (const frame of frames) runBlock(frame);
  }

  onColumn({ base }: Frame, [value]: Column): void {
    this.#column[base] = value;
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#work.succeed(this.#item, this.#column, this.#frames.flatMap(missingInAll));
  }

  onFailure(_: Frame, failure: Failure): void {
    if (this.#left === Infinity) return;
    this.#left = Infinity;
    this.#work.fail(this.#item, failure.error, failure);
    // Nothing more of the other items begins, as where items run together.
    for (const frame of this.#frames) failBlock(frame, failure);
  }
}
