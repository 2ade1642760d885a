/**
 * A frame: the values of one run of a block. The block of an `each` runs for many items at once, so
 * every value is a column, a list with one entry per item. In the root and in `given`, columns have
 * one entry.
 */
import type { Clock } from '../clock.ts';
import type { Semaphore } from '../limit.ts';
import type { Plan, PlanBlock, Step, TimedStep } from '../plan/plan.ts';
import type { Signal } from '../signal.ts';
import type { Trace } from '../trace.ts';
import type { Calls } from '../upstream/upstreams.ts';
import type { EngineRequest, OnCallEnd, WatchStep } from './execution.ts';
import type { Freshness } from './response-freshness.ts';
import type { Degradation } from './step-error.ts';
import type { Writes } from './writes.ts';

/** Instead of a column: its step has not begun, or has begun and not ended. */
export const waiting = Symbol('waiting');
export const underWay = Symbol('under way');

/** The values of a step by item; a `Failure` for items that have failed. */
export type Column = readonly unknown[];

/** Stored instead of a value if the step has failed. */
export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** By item, the failure that keeps a step from running for it; absent if it runs for all items. */
export type Blocked = readonly (Failure | undefined)[] | undefined;

/** A step, and the item for which it runs. */
export interface StepOfItem {
  readonly frame: Frame;
  readonly step: Step;
  readonly item: number;
}

/** The execution of a plan for one request. */
export interface Execution {
  readonly plan: Plan;
  readonly request: EngineRequest;
  readonly calls: Calls;
  readonly clock: Clock;
  /** Begins a step that takes time, for all items that are not blocked. */
  readonly perform: (frame: Frame, step: TimedStep, blocked: Blocked) => void;
  readonly watchStep: WatchStep | undefined;
  readonly onCallEnd: OnCallEnd | undefined;
  /** Whether tolerated steps are left out. */
  readonly shedsSteps: boolean;
  readonly onStepShed: (() => void) | undefined;
  /** Aborted when the request is over; its reason says why. */
  readonly signal: Signal;
  /** Its calls that change something, once there is one. */
  writes: Writes<StepOfItem> | undefined;
  /** According to the replies so far; not updated if the response may not be cached anyway. */
  freshness: Freshness;
}

/** Gets the result of the run of a block, once. */
export interface BlockOwner {
  onColumn(frame: Frame, column: Column): void;
  onFailure(frame: Frame, failure: Failure): void;
}

export type FrameOptions = Pick<
  Frame,
  | 'block'
  | 'execution'
  | 'owner'
  | 'parent'
  | 'at'
  | 'items'
  | 'base'
  | 'trace'
  | 'bounds'
  | 'limit'
>;

/** One run of a block, and the columns of its steps so far. */
export class Frame {
  readonly block: PlanBlock;
  readonly execution: Execution;
  readonly owner: BlockOwner;
  /** The frame of the block around this one, and the item of it for which this one runs. */
  readonly parent: Frame | undefined;
  readonly at: number;
  /** The items of an `each`, or the one value of a `given`. */
  readonly items: Column;
  /** The index of the first item in the list of the `each`. */
  readonly base: number;
  /** The trace of the step that runs this block. */
  readonly trace: Trace | undefined;
  /** The frames inside each step around it that has a `withinMs`; absent where none has. */
  readonly bounds: readonly Frame[][] | undefined;
  /** Bounds the calls of the `each`s around it; absent: they have no `concurrency`. */
  readonly limit: Semaphore | undefined;
  /** By slot: the column of the step or, until it is complete, `waiting` or `underWay`. */
  readonly values: (Column | typeof waiting | typeof underWay)[];
  /** By slot: the first failure in the column. Columns without one need not be searched. */
  failures: (Failure | undefined)[] | undefined;
  /** By slot: when a step with a `withinMs` has begun. */
  begunAt: number[] | undefined;
  /** By slot and item: the parts missing in the value, and so in values that contain it. */
  missing: ((readonly Degradation[] | undefined)[] | undefined)[] | undefined;
  /** The inner frames that wait for a column of this one. */
  readers: { readonly slot: number; readonly frame: Frame }[] | undefined;
  isSweeping = false;
  isOver = false;
  /** The failure of the block as a whole. */
  failure: Failure | undefined;

  constructor(options: FrameOptions) {
    this.block = options.block;
    this.execution = options.execution;
    this.owner = options.owner;
    this.parent = options.parent;
    this.at = options.at;
    this.items = options.items;
    this.base = options.base;
    this.trace = options.trace;
    this.bounds = options.bounds;
    this.limit = options.limit;
    this.values = Array<typeof waiting>(options.block.steps.length).fill(waiting);
    this.failures = undefined;
    this.begunAt = undefined;
    this.missing = undefined;
    this.readers = undefined;
    this.failure = undefined;
  }

  get width(): number {
    return this.items.length;
  }
}

/** The value of a step for an item; `undefined` if the step has not ended. */
export function valueOf(frame: Frame, id: number, item: number): unknown {
  const step = stepOf(frame, id);
  const holder = frameOf(frame, step);
  const column = holder.values[step.slot];
  return typeof column === 'object' ? column[itemIn(frame, holder, item)] : undefined;
}

/** The frame that holds the column of a step: this one or an outer one. */
export function frameOf(frame: Frame, { depth }: Pick<Step, 'depth'>): Frame {
  let current = frame;
  while (current.block.depth > depth && current.parent !== undefined) current = current.parent;
  return current;
}

/** The item of the outer frame `holder` to which an item of `frame` belongs. */
export function itemIn(frame: Frame, holder: Frame, item: number): number {
  let index = item;
  for (let current = frame; current !== holder && current.parent !== undefined;) {
    index = current.at;
    current = current.parent;
  }
  return index;
}

/** The failure by which a frame, or one around it, is over. */
export function failureAround(frame: Frame): Failure | undefined {
  let around: Frame | undefined = frame;
  while (around !== undefined && around.failure === undefined) around = around.parent;
  return around?.failure;
}

/** The indexes of an item in the lists around it, the innermost first. */
export function indexPath(frame: Frame, item: number): number[] {
  const path: number[] = [];
  let index = item;
  for (let current = frame; current.parent !== undefined; current = current.parent) {
    path.push(current.base + index);
    index = current.at;
  }
  return path;
}

/**
 * The reason why steps that need `ids` cannot run. `undefined`: there is none. `waiting`: a value
 * is not there yet. A failure: a value is missing for all items. A list: the failures by item.
 */
export function unmetNeed(
  frame: Frame,
  ids: readonly number[],
): typeof waiting | Failure | Blocked {
  let isWaiting = false;
  let blocked: (Failure | undefined)[] | undefined;
  // By index, as in `fill`: iterating over a frozen array makes V8 allocate an object for every
  // step, a sixth of what a page of lookups allocates.
  for (let index = 0; index < ids.length; index += 1) {
    const step = stepOf(frame, ids[index]);
    const holder = frameOf(frame, step);
    const state = holder.values[step.slot];
    if (typeof state === 'symbol' || state === undefined) {
      isWaiting = true;
      continue;
    }
    const failure = holder.failures?.[step.slot];
    if (failure === undefined) continue;
    if (holder !== frame) {
      const own = state[itemIn(frame, holder, 0)];
      if (own instanceof Failure) return own;
    } else if (frame.width === 1) return failure;
    else blocked = addFailures(blocked, state);
  }
  return isWaiting ? waiting : blocked;
}

function addFailures(
  blocked: (Failure | undefined)[] | undefined,
  column: Column,
): (Failure | undefined)[] {
  const all = blocked ?? Array<Failure | undefined>(column.length);
  for (let item = 0; item < column.length; item += 1) {
    const value = column[item];
    if (value instanceof Failure) all[item] ??= value;
  }
  return all;
}

export function stepOf({ execution }: Frame, id: number | undefined): Step {
  const step = id === undefined ? undefined : execution.plan.steps[id];
  if (step === undefined) throw new Error(`the plan has no step ${id}`);
  return step;
}
