/**
 * Dataflow. Every step of a block begins as soon as all it needs is there, so none waits for a level to
 * be complete. The value of a block is its template, filled. All of it is callbacks and one list of
 * columns a frame: promises for each step would double the cost of a page.
 */
import { ExecutionError, nameOf } from '../errors.ts';
import type { GuardStep, MapStep, Step } from '../plan/plan.ts';
import {
  Failure,
  assemble,
  frameOf,
  itemIn,
  noteMissing,
  pointerTo,
  read,
  stepOf,
  underWay,
  unmetNeed,
  waiting,
} from './frame.ts';
import type { Blocked, Column, Execution, Frame } from './frame.ts';
import { shaped } from './shape.ts';
import { StepError } from './step-error.ts';

/**
 * Runs the block of `frame` and tells the frame's owner how it ended: it fails as soon as something fails
 * that nothing tolerates.
 */
export function runBlock(frame: Frame): void {
  sweep(frame, 0);
  if (frame.parent === undefined) return;
  for (const step of frame.block.steps)
    if (frame.values[step.slot] === waiting) readOuter(frame, step.needs);
  readOuter(frame, frame.block.needs);
}

/** The step has its column; `failure`: the first in it. */
export function settle(
  frame: Frame,
  step: Step,
  column: Column,
  failure: Failure | undefined,
): void {
  const { slot } = step;
  frame.values[slot] = column;
  if (failure !== undefined) (frame.failures ??= [])[slot] = failure;
  if (failure !== undefined && step.dooms === 'always') end(frame, failure);
  else if (!frame.isSweeping) sweep(frame, slot + 1);
  for (const reader of frame.readers ?? []) if (reader.slot === slot) sweep(reader.frame, 0);
}

/** Begins what can begin, in one pass: a step comes after all it needs in its block. */
function sweep(frame: Frame, from: number): void {
  if (frame.isOver) return;
  const { steps } = frame.block;
  frame.isSweeping = true;
  for (let slot = from; slot < steps.length && !frame.isOver; slot += 1) {
    const step = steps[slot];
    if (step !== undefined && frame.values[slot] === waiting) advance(frame, step);
  }
  frame.isSweeping = false;
  endWhenComplete(frame);
}

function endWhenComplete(frame: Frame): void {
  if (frame.isOver) return;
  const need = unmetNeed(frame, frame.block.needs);
  if (need === waiting) return;
  if (need === undefined) return finish(frame);
  const failure = need instanceof Failure ? need : need.find((one) => one !== undefined);
  if (failure === undefined) finish(frame);
  else end(frame, failure);
}

/** All that the block needs is there. */
function finish(frame: Frame): void {
  const { template } = frame.block;
  const column = columnOf(frame, undefined, (item) => assemble(frame, template, item));
  const failure = firstFailure(column);
  if (failure !== undefined) return end(frame, failure);
  frame.isOver = true;
  frame.owner.onColumn(frame, column);
}

/** Fails the block. */
function end(frame: Frame, failure: Failure): void {
  if (frame.isOver) return;
  frame.isOver = true;
  frame.failure = failure;
  frame.owner.onFailure(frame, failure);
  // The columns they wait for will never be there.
  for (const reader of frame.readers ?? [])
    if (frame.values[reader.slot] === waiting) end(reader.frame, failure);
}

/** Sweeps this frame again once outer frames have the columns of `ids`. */
function readOuter(frame: Frame, ids: readonly number[]): void {
  if (frame.isOver) return;
  for (const id of ids) {
    const step = stepOf(frame, id);
    const holder = frameOf(frame, step);
    if (holder === frame) continue;
    const state = holder.values[step.slot];
    if (state === waiting && holder.failure !== undefined) return end(frame, holder.failure);
    if (state === waiting || state === underWay)
      (holder.readers ??= []).push({ slot: step.slot, frame });
  }
}

function advance(frame: Frame, step: Step): void {
  if (step.kind === 'guard') return tolerate(frame, step);
  const need = unmetNeed(frame, step.needs);
  if (need === waiting) return;
  // A failure keeps the step it came from: steps that needed its value did not fail by themselves.
  if (need instanceof Failure) settle(frame, step, Array<Failure>(frame.width).fill(need), need);
  else begin(frame, step, need);
}

/** The step's needs are there, but for the items that are blocked. */
function begin(frame: Frame, step: Exclude<Step, GuardStep>, blocked: Blocked): void {
  switch (step.kind) {
    case 'input':
      return settle(frame, step, [frame.execution.request.inputs[step.input]], undefined);
    case 'item':
      return settle(frame, step, frame.items, undefined);
    case 'shape':
      return settleEach(frame, step, blocked, (item) => shaped(read(frame, step.from, item), step));
    case 'map':
      return settleEach(frame, step, blocked, (item) => compute(frame, step, item));
    case 'call':
    case 'given':
    case 'each':
      frame.values[step.slot] = underWay;
      return frame.execution.perform(frame, step, blocked);
    default:
      return step satisfies never;
  }
}

function settleEach(
  frame: Frame,
  step: Step,
  blocked: Blocked,
  valueOf: (item: number) => unknown,
): void {
  const column = columnOf(frame, blocked, valueOf);
  settle(frame, step, column, firstFailure(column));
}

/** Computes a column item by item: values that schemas made of an answer may have properties that throw. */
function columnOf(frame: Frame, blocked: Blocked, valueOf: (item: number) => unknown): Column {
  const column = Array<unknown>(frame.width);
  for (let item = 0; item < column.length; item += 1) {
    try {
      column[item] = blocked?.[item] ?? valueOf(item);
    } catch (error) {
      column[item] = new Failure(error);
    }
  }
  return column;
}

function firstFailure(column: Column): Failure | undefined {
  for (let item = 0; item < column.length; item += 1) {
    const value = column[item];
    if (value instanceof Failure) return value;
  }
  return undefined;
}

function compute(frame: Frame, step: MapStep, item: number): unknown {
  try {
    const value: unknown = step.compute(assemble(frame, step.inputs, item) as never); // typed where it was written
    if (!(value instanceof Promise)) return value;
    value.catch(() => undefined); // its failure would only repeat what is said here
    throw new ExecutionError('map-failed', 'map() was given an asynchronous function');
  } catch (error) {
    const reason = error instanceof ExecutionError ? error : mapFailure(error);
    return new Failure(new StepError(step, reason));
  }
}

/** Only what kind of error it was: its message may quote what a service answered. */
function mapFailure(error: unknown): ExecutionError {
  return new ExecutionError('map-failed', `the function given to map() threw (${nameOf(error)})`, {
    cause: error,
  });
}

/** The column of the guarded step, with stand-ins for the items that failed. */
function tolerate(frame: Frame, guard: GuardStep): void {
  const guarded = stepOf(frame, guard.guarded);
  const holder = frameOf(frame, guarded);
  const state = holder.values[guarded.slot];
  if (state === undefined || typeof state === 'symbol') return;
  const hasFailures = holder.failures?.[guarded.slot] !== undefined;
  if (holder === frame && !hasFailures) return settle(frame, guard, state, undefined);
  settleEach(frame, guard, undefined, (item) => {
    const value = state[itemIn(frame, holder, item)];
    return value instanceof Failure ? standIn(frame, guard, { failure: value, item }) : value;
  });
}

function standIn(
  frame: Frame,
  guard: GuardStep,
  { failure, item }: { readonly failure: Failure; readonly item: number },
): unknown {
  if (!isTolerable(frame.execution, failure)) return failure;
  const error = failure.error as StepError; // no other is tolerable
  // A step called for its effect is missing nowhere in particular.
  const pointers =
    guard.places.length === 0 ? [''] : guard.places.map((place) => pointerTo(frame, place, item));
  noteMissing(frame, guard, { item, parts: [{ step: guard.name, error, pointers }] });
  return guard.instead;
}

/** Whether a guard may step in. */
export function isTolerable({ plan }: Execution, { error }: Failure): boolean {
  return (
    error instanceof StepError && plan.degraded === 'allow' && error.reason.kind !== 'disconnected'
  );
}
