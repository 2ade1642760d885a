/**
 * Dataflow. Every step of a block begins as soon as what it needs is there, so none waits for a level to
 * be complete. What a block gives is its template, filled. All of it is callbacks and one array of values
 * a frame, since a page has hundreds of steps: promises for each would double what it costs.
 */
import { ExecutionError, nameOf } from '../errors.ts';
import type { GuardStep, MapStep, Step } from '../plan/plan.ts';
import {
  Failure,
  assemble,
  frameOf,
  noteMissing,
  lackOf,
  pointerTo,
  read,
  stateOf,
  stepOf,
  underWay,
  waiting,
} from './frame.ts';
import type { Frame } from './frame.ts';
import { perform } from './perform.ts';
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

/** The step has its value, or a `Failure`: of those that fail their block the first counts. */
export function settle(frame: Frame, { id, slot }: Step, state: unknown): void {
  frame.values[slot] = state;
  if (state instanceof Failure && frame.block.needs.includes(id)) end(frame, state);
  else if (!frame.isSweeping) sweep(frame, slot + 1);
  for (const reader of frame.readers ?? []) if (reader.slot === slot) sweep(reader.frame, 0);
}

/** Begins what can begin, in one pass: what a step needs comes before it in its block. */
function sweep(frame: Frame, from: number): void {
  if (frame.isOver) return;
  const { steps } = frame.block;
  frame.isSweeping = true;
  for (let slot = from; slot < steps.length && !frame.isOver; slot += 1) {
    const step = steps[slot];
    if (step !== undefined && frame.values[slot] === waiting) tryToAdvance(frame, step);
  }
  frame.isSweeping = false;
  endWhenComplete(frame);
}

function endWhenComplete(frame: Frame): void {
  const lack = lackOf(frame, frame.block.needs);
  if (lack !== waiting) end(frame, lack ?? filled(frame));
}

function end(frame: Frame, outcome: unknown): void {
  if (frame.isOver) return;
  frame.isOver = true;
  if (!(outcome instanceof Failure)) return frame.owner.onValue(frame, outcome);
  frame.failure = outcome;
  frame.owner.onFailure(frame, outcome.error);
  // What they wait for will not begin any more.
  for (const reader of frame.readers ?? [])
    if (frame.values[reader.slot] === waiting) end(reader.frame, outcome);
}

/** What a schema has made of an answer may have properties that throw. */
function filled(frame: Frame): unknown {
  try {
    return assemble(frame, frame.block.template);
  } catch (error) {
    return new Failure(error);
  }
}

function tryToAdvance(frame: Frame, step: Step): void {
  try {
    advance(frame, step);
  } catch (error) {
    settle(frame, step, new Failure(error));
  }
}

/** To be swept again when those of `ids` that frames around this one are waiting for are there. */
function readOuter(frame: Frame, ids: readonly number[]): void {
  if (frame.isOver) return;
  for (const id of ids) {
    const step = stepOf(frame, id);
    const holder = frameOf(frame, step);
    const state = holder === frame ? undefined : holder.values[step.slot];
    if (state === waiting && holder.failure !== undefined) return end(frame, holder.failure);
    if (state === waiting || state === underWay)
      (holder.readers ??= []).push({ slot: step.slot, frame });
  }
}

function advance(frame: Frame, step: Step): void {
  if (step.kind === 'guard') return tolerate(frame, step);
  const lack = lackOf(frame, step.needs);
  // A failure keeps the step it came from: steps that needed its value did not fail by themselves.
  if (lack instanceof Failure) settle(frame, step, lack);
  else if (lack === undefined) begin(frame, step);
}

/** The step's needs are there. */
function begin(frame: Frame, step: Exclude<Step, GuardStep>): void {
  switch (step.kind) {
    case 'input':
      return settle(frame, step, frame.execution.request.inputs[step.input]);
    case 'item':
      return settle(frame, step, frame.item);
    case 'shape':
      return settle(frame, step, shaped(read(frame, step.from), step));
    case 'map':
      return settle(frame, step, compute(frame, step));
    case 'call':
    case 'given':
    case 'each':
      frame.values[step.slot] = underWay;
      return perform(frame, step);
    default:
      return step satisfies never;
  }
}

function compute(frame: Frame, step: MapStep): unknown {
  try {
    const value: unknown = step.compute(assemble(frame, step.inputs) as never); // typed where it was written
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

/** The value of the guarded step, or, when that failed, what stands in for it. */
function tolerate(frame: Frame, guard: GuardStep): void {
  const state = stateOf(frame, guard.guarded);
  if (state === waiting || state === underWay) return;
  settle(frame, guard, state instanceof Failure ? standIn(frame, guard, state) : state);
}

function standIn(frame: Frame, guard: GuardStep, failure: Failure): unknown {
  const { error } = failure;
  const tolerable =
    error instanceof StepError &&
    frame.execution.plan.degraded === 'allow' &&
    error.reason.kind !== 'disconnected';
  if (!tolerable) return failure;
  // What was called for its effect is missing nowhere in particular.
  const pointers =
    guard.places.length === 0 ? [''] : guard.places.map((place) => pointerTo(frame, place));
  noteMissing(frame, guard, [{ step: guard.name, error, pointers }]);
  return guard.instead;
}
