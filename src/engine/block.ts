/**
 * Dataflow: every step of a block begins as soon as its needs are met, instead of when a whole
 * level of steps is complete. At the end, the template of the block is filled. There are callbacks
 * and one list of columns per frame, since a promise per step would double the cost of a page.
 */
import { CompositionError, ExecutionError, errorName } from '../errors.ts';
import { columnOf, firstFailure } from './column.ts';
import { computed } from './compute.ts';
import { frozen } from '../frozen.ts';
import type { GuardStep, MapStep, Step, TimedStep } from '../plan/plan.ts';
import { noteBegun } from '../under-way.ts';
import { assemble, read } from './fill.ts';
import {
  Failure,
  failureAround,
  frameOf,
  stepOf,
  underWay,
  unmetNeed,
  valueOf,
  waiting,
} from './frame.ts';
import type { Blocked, Column, Frame } from './frame.ts';
import { shaped } from './shape.ts';
import { StepError } from './step-error.ts';
import { hasFailed, tolerated, unmetBeside } from './tolerate.ts';

/**
 * Runs the block of `frame`, whose owner gets the column or the failure. The block fails as soon as
 * a step that it needs fails and no guard tolerates it.
 */
export function runBlock(frame: Frame): void {
  sweep(frame, 0);
  if (frame.parent === undefined || frame.isOver) return;
  const { steps, needs } = frame.block;
  const waits = steps.filter(({ slot }) => frame.values[slot] === waiting);
  // Each once: an outer frame sweeps this one for every entry.
  readOuter(frame, new Set([...waits.flatMap((step) => step.needs), ...needs]));
}

/** Stores the column of a step, whose first failure is `failure`, and begins what waited for it. */
export function settle(
  frame: Frame,
  step: Step,
  column: Column,
  failure: Failure | undefined,
): void {
  const { slot } = step;
  frame.values[slot] = column;
  if (failure !== undefined) (frame.failures ??= [])[slot] = failure;
  if (failure !== undefined && step.dooms === 'always') failBlock(frame, failure);
  else if (!frame.isSweeping) sweep(frame, slot + 1);
  for (const reader of frame.readers ?? []) if (reader.slot === slot) sweep(reader.frame, 0);
}

/** Begins the steps whose needs are met. One pass is enough: steps come after those they need. */
function sweep(frame: Frame, from: number): void {
  if (frame.isOver) return;
  if (failureAround(frame) !== undefined) return failBlock(frame, calledOff);
  const { steps } = frame.block;
  frame.isSweeping = true;
  for (let slot = from; slot < steps.length && !frame.isOver; slot += 1) {
    const step = steps[slot];
    if (step !== undefined && frame.values[slot] === waiting) advance(frame, step);
  }
  frame.isSweeping = false;
  completeIfPossible(frame);
}

/**
 * Of a block inside one that has failed: nothing of it begins any more, writes above all. Traces
 * show its steps as cancelled.
 */
const calledOff = new Failure(
  new ExecutionError('disconnected', 'the block around it is over before it has ended'),
);

function completeIfPossible(frame: Frame): void {
  if (frame.isOver) return;
  const need = unmetNeed(frame, frame.block.needs);
  if (need === waiting) return;
  const failure = need instanceof Failure ? need : need?.find((one) => one !== undefined);
  if (failure === undefined) completeBlock(frame);
  else failBlock(frame, failure);
}

/** Fills the template for every item. */
function completeBlock(frame: Frame): void {
  const { template } = frame.block;
  const column = columnOf(frame, undefined, (item) => assemble(frame, template, item));
  const failure = firstFailure(column);
  if (failure !== undefined) return failBlock(frame, failure);
  frame.isOver = true;
  frame.owner.onColumn(frame, column);
}

/** Ends a block, unless it is over: no other step of it begins. */
export function failBlock(frame: Frame, failure: Failure): void {
  if (frame.isOver) return;
  frame.isOver = true;
  frame.failure = failure;
  frame.owner.onFailure(frame, failure);
  // Inner frames would wait for ever for the columns of steps that will not begin.
  for (const reader of frame.readers ?? [])
    if (frame.values[reader.slot] === waiting) failBlock(reader.frame, failure);
}

/** Makes outer frames sweep this one again once they have the columns of `ids`. */
function readOuter(frame: Frame, ids: ReadonlySet<number>): void {
  for (const id of ids) {
    const step = stepOf(frame, id);
    const holder = frameOf(frame, step);
    if (holder === frame) continue;
    const state = holder.values[step.slot];
    if (state === waiting && holder.failure !== undefined) return failBlock(frame, holder.failure);
    if (state === waiting || state === underWay)
      (holder.readers ??= []).push({ slot: step.slot, frame });
  }
}

function advance(frame: Frame, step: Step): void {
  if (step.kind === 'guard') return settleGuard(frame, step);
  const need = step.kind === 'instead' ? unmetBeside(frame, step) : unmetNeed(frame, step.needs);
  if (need === waiting) return;
  // The same failure, so that it keeps its own step: this one has not failed by itself.
  if (need instanceof Failure) settle(frame, step, Array<Failure>(frame.width).fill(need), need);
  else begin(frame, step, need);
}

/** Begins a step for all items except the blocked ones, which get their failures. */
function begin(frame: Frame, step: Exclude<Step, GuardStep>, blocked: Blocked): void {
  switch (step.kind) {
    case 'input':
      return settle(frame, step, [frame.execution.request.inputs[step.input]], undefined);
    case 'item':
      return settle(frame, step, frame.items, undefined);
    case 'shape':
      return settleEach(frame, step, blocked, (item) => shaped(read(frame, step.from, item), step));
    case 'map':
      return settleEach(frame, step, blocked, (item) => mapped(frame, step, item));
    case 'instead':
      if (hasFailed(frame, step)) return perform(frame, step, blocked);
      return settleEach(frame, step, blocked, (item) => valueOf(frame, step.guarded, item));
    case 'call':
    case 'given':
    case 'each':
      return perform(frame, step, blocked);
    default:
      return step satisfies never;
  }
}

function perform(frame: Frame, step: TimedStep, blocked: Blocked): void {
  frame.values[step.slot] = underWay;
  frame.execution.perform(frame, step, blocked);
}

/** Settles a guard once its step has settled. */
function settleGuard(frame: Frame, guard: GuardStep): void {
  const column = tolerated(frame, guard);
  if (column === undefined) return;
  settle(frame, guard, column, hasFailed(frame, guard) ? firstFailure(column) : undefined);
}

function settleEach(
  frame: Frame,
  step: Step,
  blocked: Blocked,
  compute: (item: number) => unknown,
): void {
  const column = columnOf(frame, blocked, compute);
  settle(frame, step, column, firstFailure(column));
}

function mapped(frame: Frame, step: MapStep, item: number): unknown {
  try {
    noteBegun(frame.execution.plan.name, step.name);
    // Frozen whether other steps read it or not, or a change would be found out only where they do.
    return computed(step, frozen(assemble(frame, step.inputs, item)));
  } catch (error) {
    const reason = error instanceof ExecutionError ? error : mapFailure(error);
    return new Failure(new StepError(step, reason));
  }
}

/** V8's messages about writes to frozen objects. */
const changesFrozen =
  /^Cannot (?:assign to read only|add|define|delete|redefine) property|is not extensible$/;

/** Names only the kind of error: its message may quote the answer of a service. */
function mapFailure(error: unknown): ExecutionError {
  // Our own words about a captured reference, without any value.
  if (error instanceof CompositionError) {
    return new ExecutionError('map-failed', error.message, { cause: error });
  }
  if (error instanceof TypeError && changesFrozen.test(error.message)) {
    const message =
      'the function given to map() changed a value that it was given, which is frozen since ' +
      'others may read it. Use a copy, as toSorted(), toReversed(), toSpliced() and ' +
      '{ ...value } make';
    return new ExecutionError('map-failed', message, { cause: error });
  }
  return new ExecutionError(
    'map-failed',
    `the function given to map() threw (${errorName(error)})`,
    {
      cause: error,
    },
  );
}
