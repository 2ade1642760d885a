/**
 * A plan meets a request. Every step starts at once and waits for what it needs itself, so none waits
 * for a level to be complete; what a block returns is its template, filled.
 */
import type { Clock } from '../clock.ts';
import type { InputName } from '../dsl/node.ts';
import { isSafe } from '../dsl/route.ts';
import { ExecutionError, UpstreamError } from '../errors.ts';
import type { Plan, PlanBlock, Step } from '../plan/plan.ts';
import type { CallOperation, Upstreams } from '../upstream/upstreams.ts';
import { openDeadline } from './deadline.ts';
import { assemble, createFrame, pendingOf, pointerTo, read, whenKnown } from './frame.ts';
import type { Frame } from './frame.ts';
import { shaped } from './shape.ts';
import { StepError } from './step-error.ts';
import type { Degradation } from './step-error.ts';

export interface EngineRequest {
  readonly inputs: Readonly<Record<InputName, unknown>>;
  /** A header of the client's request, by its lower-case name. */
  header(name: string): string | undefined;
  /** When it arrived, on the clock's scale: the deadline counts from there. */
  readonly startedAt: number;
  /** The time the client allows, when that is shorter. */
  readonly timeoutMs?: number | undefined;
  /** Registers what to do when the client goes away. */
  onDisconnect(listener: () => void): void;
  /** Opaque: what telemetry needs to know about the request. */
  readonly trace: unknown;
}

export interface Outcome {
  readonly value: unknown;
  readonly degraded: readonly Degradation[];
}

/** One run of a step that telemetry may watch. */
export interface StepRun {
  readonly step: Step;
  /** The request's or the surrounding step's; whoever watches may put its own here. */
  trace: unknown;
  /** `given` had nothing to run on. */
  skipped: boolean;
  /** How many items `each` ran for. */
  items: number | undefined;
}

/** Something done around a step. Steps inside `each` run too often to be watched one by one. */
export type AroundStep = (run: StepRun, work: () => Promise<unknown>) => Promise<unknown>;

export interface EngineOptions {
  readonly upstreams: Upstreams;
  readonly clock: Clock;
  readonly aroundStep?: AroundStep;
}

export type Execute = (plan: Plan, request: EngineRequest) => Promise<Outcome>;

/** Everything that lives as long as one request. */
interface Execution {
  readonly plan: Plan;
  readonly request: EngineRequest;
  readonly signal: AbortSignal;
  readonly call: CallOperation;
  readonly aroundStep: AroundStep;
  readonly degraded: Degradation[];
  /** Unsafe calls that succeeded: what a failure later on cannot take back. */
  readonly completed: string[];
}

/**
 * @returns a function that runs a plan. It rejects with a StepError when a required step fails, and
 * with an ExecutionError when the request as a whole cannot be answered.
 */
export function createEngine({ upstreams, clock, aroundStep = (_, work) => work() }: EngineOptions): Execute {
  return async (plan, request) => {
    const allowedMs = Math.min(plan.deadlineMs, request.timeoutMs ?? Infinity);
    const deadline = openDeadline(clock, request.startedAt + allowedMs);
    request.onDisconnect(() => deadline.abort(new ExecutionError('disconnected', 'the client is gone')));
    const { signal, at } = deadline;
    const call = upstreams.open({ signal, deadlineAt: at, header: (name) => request.header(name) });
    const execution = { plan, request, signal, call, aroundStep, degraded: [], completed: [] };
    try {
      return await answer(execution);
    } finally {
      // Whatever is still under way serves nobody any more.
      deadline.close();
    }
  };
}

async function answer(execution: Execution): Promise<Outcome> {
  const { plan, request, degraded } = execution;
  const frame = createFrame({
    block: plan.root,
    steps: plan.steps,
    parent: undefined,
    item: undefined,
    index: undefined,
    trace: request.trace,
  });
  try {
    const value = await runBlock(execution, frame);
    return { value: parsedResponse(plan, value), degraded };
  } catch (error) {
    if (error instanceof StepError) error.completed = execution.completed;
    throw error;
  }
}

async function runBlock(execution: Execution, frame: Frame): Promise<unknown> {
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
  const settled = result.then((value: unknown) => {
    frame.values[step.slot] = value;
    frame.pending[step.slot] = undefined;
  });
  frame.pending[step.slot] = settled;
  // Whoever needs the value sees the failure; when nobody is left to need it, it must not end the process.
  settled.catch(() => undefined);
}

function outcomeOf(execution: Execution, frame: Frame, step: Step): unknown {
  if (step.node.kind === 'guard') return tolerate(execution, frame, step, step.node.step);
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

function mapFailure(error: unknown): ExecutionError {
  const message = error instanceof Error ? error.message : String(error);
  return new ExecutionError('map-failed', `the function given to map() threw: ${message}`, { cause: error });
}

async function watched(execution: Execution, frame: Frame, step: Step): Promise<unknown> {
  const run: StepRun = { step, trace: frame.trace, skipped: false, items: undefined };
  try {
    const work = () => perform(execution, frame, run);
    return await (isRepeated(frame) ? work() : execution.aroundStep(run, work));
  } catch (error) {
    throw failureOf(step, error);
  }
}

function isRepeated(frame: Frame | undefined): boolean {
  return frame !== undefined && (frame.index !== undefined || isRepeated(frame.parent));
}

function perform(execution: Execution, frame: Frame, run: StepRun): Promise<unknown> {
  const { node, block } = run.step;
  if (node.kind === 'call') return callOperation(execution, frame, run);
  if (block === undefined) throw new Error(`step "${run.step.name}" has nothing to run`);
  if (node.kind === 'given') return runGiven(execution, frame, { run, block, present: read(frame, node.on) });
  if (node.kind === 'each') return runEach(execution, frame, { run, block, list: read(frame, node.over), max: node.max });
  throw new Error(`a ${node.kind} is not watched`);
}

async function callOperation(execution: Execution, frame: Frame, run: StepRun): Promise<unknown> {
  const { node } = run.step;
  if (node.kind !== 'call') throw new Error('only calls call operations');
  const args = assemble(frame, node.args) as Record<string, unknown>; // arguments are drawn as an object
  const reply = await execution.call(node.operation, args, run.trace);
  if (!isSafe(node.operation.route.method) && node.operation.lookup === undefined) {
    execution.completed.push(run.step.name);
  }
  return reply.value;
}

async function runGiven(
  execution: Execution,
  frame: Frame,
  { run, block, present }: { run: StepRun; block: PlanBlock; present: unknown },
): Promise<unknown> {
  if (present === null || present === undefined) {
    run.skipped = true;
    return null;
  }
  return runBlock(execution, inner(frame, { run, block, item: present, index: undefined }));
}

async function runEach(
  execution: Execution,
  frame: Frame,
  { run, block, list, max }: { run: StepRun; block: PlanBlock; list: unknown; max: number },
): Promise<unknown> {
  if (!Array.isArray(list)) {
    throw new ExecutionError('not-a-list', 'each() was given something that is not a list');
  }
  if (list.length > max) {
    throw new ExecutionError('too-many-items', `each() was given ${list.length} items, more than its max of ${max}`);
  }
  run.items = list.length;
  return Promise.all(list.map((item, index) => runBlock(execution, inner(frame, { run, block, item, index }))));
}

function inner(
  parent: Frame,
  { run, block, item, index }: { run: StepRun; block: PlanBlock; item: unknown; index: number | undefined },
): Frame {
  return createFrame({ block, steps: parent.steps, parent, item, index, trace: run.trace });
}

/** The value of the guarded step, or, when it failed, what stands in for it. */
function tolerate(execution: Execution, frame: Frame, step: Step, guarded: number): unknown {
  const pending = pendingOf(frame, guarded);
  const source = { node: guarded, path: [] };
  if (pending === undefined) return read(frame, source);
  return pending.then(
    () => read(frame, source),
    (error: unknown) => standIn(execution, frame, step, error),
  );
}

function standIn({ plan, degraded }: Execution, frame: Frame, step: Step, error: unknown): unknown {
  const tolerable = error instanceof StepError && plan.degraded === 'allow' && error.reason.kind !== 'disconnected';
  if (!tolerable || step.node.kind !== 'guard') throw error;
  degraded.push({ step: step.name, error, pointers: step.places.map((place) => pointerTo(frame, place)) });
  return step.node.instead;
}

/** A failure keeps the step it came from: the steps that needed its value did not fail by themselves. */
function failureOf(step: Step, error: unknown): unknown {
  const known = error instanceof UpstreamError || error instanceof ExecutionError;
  return known ? new StepError(step, error) : error;
}

function parsedResponse({ schemas }: Plan, value: unknown): unknown {
  if (schemas.response === undefined) return value;
  const result = schemas.response.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const pointer = (issue?.path ?? []).map((part) => `/${String(part)}`).join('');
  throw new ExecutionError('response-mismatch', `the response does not fit its schema at "${pointer}": ${issue?.message ?? 'unknown'}`);
}
