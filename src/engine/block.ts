/**
 * Dataflow. All steps of a block are started at once and each waits for what it needs itself, so none
 * waits for a level to be complete. What a block gives is its template, filled.
 */
import { ExecutionError, UpstreamError, nameOf } from '../errors.ts';
import type { Step } from '../plan/plan.ts';
import type { Execution, StepRun } from './execution.ts';
import { assemble, pendingOf, pointerTo, read, whenKnown } from './frame.ts';
import type { Frame } from './frame.ts';
import { perform } from './perform.ts';
import { shaped } from './shape.ts';
import { StepError } from './step-error.ts';

/** Runs the block of `frame`. Rejects as soon as something fails that nothing tolerates. */
export async function runBlock(execution: Execution, frame: Frame): Promise<unknown> {
  const { block } = frame;
  for (const step of block.steps) start(execution, frame, step);
  await whenKnown(frame, block.waits);
  return assemble(frame, block.template);
}

/** Puts the step's value, or its promise, into the frame. Its needs come before it in the block. */
function start(execution: Execution, frame: Frame, step: Step): void {
  const result = outcomeOf(execution, frame, step);
  if (!(result instanceof Promise)) {
    frame.values[step.slot] = result;
    return;
  }
  const settled = keep(frame, step, result);
  frame.pending[step.slot] = settled;
  // Whoever needs the value sees the failure; when nobody is left to need it, it must not end the process.
  settled.catch(() => undefined);
}

async function keep(frame: Frame, step: Step, result: Promise<unknown>): Promise<void> {
  frame.values[step.slot] = await result;
  frame.pending[step.slot] = undefined;
}

function outcomeOf(execution: Execution, frame: Frame, step: Step): unknown {
  if (step.node.kind === 'guard')
    return tolerate(execution, frame, { guard: step, guarded: step.node.step });
  const waiting = whenKnown(frame, step.needs);
  return waiting === undefined
    ? attempt(execution, frame, step)
    : waiting.then(() => attempt(execution, frame, step));
}

/** The step's needs are there. */
function attempt(execution: Execution, frame: Frame, step: Step): unknown {
  const { node } = step;
  switch (node.kind) {
    case 'input':
      return execution.request.inputs[node.input];
    case 'item':
      return frame.item;
    case 'shape':
      return shaped(read(frame, node.from), node);
    case 'map':
      return compute(step, () => node.compute(assemble(frame, node.inputs) as never)); // typed where it was written
    case 'call':
    case 'given':
    case 'each':
      return watched(execution, frame, step);
    case 'guard':
      throw new Error('a guard does not wait for its step to succeed');
    default:
      return node satisfies never;
  }
}

function compute(step: Step, work: () => unknown): unknown {
  try {
    const value = work();
    if (!(value instanceof Promise)) return value;
    value.catch(() => undefined); // its failure would only repeat what is said here
    throw new ExecutionError('map-failed', 'map() was given an asynchronous function');
  } catch (error) {
    const reason = error instanceof ExecutionError ? error : mapFailure(error);
    return Promise.reject(new StepError(step, reason));
  }
}

/** Only what kind of error it was: its message may quote what a service answered. */
function mapFailure(error: unknown): ExecutionError {
  return new ExecutionError('map-failed', `the function given to map() threw (${nameOf(error)})`, {
    cause: error,
  });
}

async function watched(execution: Execution, frame: Frame, step: Step): Promise<unknown> {
  const run: StepRun = {
    step,
    request: execution.request,
    trace: frame.trace,
    skipped: false,
    items: undefined,
    reply: undefined,
  };
  try {
    const work = () => perform(execution, frame, run);
    return await (frame.block.repeated ? work() : execution.aroundStep(run, work));
  } catch (error) {
    throw failureOf(step, error);
  }
}

/** A failure keeps the step it came from: steps that needed its value did not fail by themselves. */
function failureOf(step: Step, error: unknown): unknown {
  const known = error instanceof UpstreamError || error instanceof ExecutionError;
  return known ? new StepError(step, error) : error;
}

/** The value of the guarded step, or, when that failed, what stands in for it. */
function tolerate(
  execution: Execution,
  frame: Frame,
  { guard, guarded }: { guard: Step; guarded: number },
): unknown {
  const pending = pendingOf(frame, guarded);
  const value = (): unknown => read(frame, { node: guarded, path: [] });
  return pending === undefined
    ? value()
    : pending.then(value, (error: unknown) => standIn(execution, frame, { guard, error }));
}

function standIn(
  { plan }: Execution,
  frame: Frame,
  { guard, error }: { guard: Step; error: unknown },
): unknown {
  const tolerable =
    error instanceof StepError && plan.degraded === 'allow' && error.reason.kind !== 'disconnected';
  if (!tolerable || guard.node.kind !== 'guard') throw error;
  // What was called for its effect is missing nowhere in particular.
  const pointers =
    guard.places.length === 0 ? [''] : guard.places.map((place) => pointerTo(frame, place));
  frame.missing[guard.slot] = [{ step: guard.name, error, pointers }];
  return guard.node.instead;
}
