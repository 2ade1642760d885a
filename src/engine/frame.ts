/**
 * The values of one run of a block. A block inside `each` runs for many items at once, so everything is
 * a column: a list with one entry for each item. The root's columns, and those of `given`, have one.
 */
import type { Source, Template } from '../dsl/node.ts';
import { toPointer } from '../json.ts';
import type { Place, Plan, PlanBlock, Step, TimedStep } from '../plan/plan.ts';
import type { Trace } from '../trace.ts';
import type { Calls } from '../upstream/upstreams.ts';
import type { EngineRequest, OnCallEnd, WatchStep } from './execution.ts';
import type { Freshness } from './freshness.ts';
import type { Degradation } from './step-error.ts';

/** In the place of a column: its step waits for others, or has begun and is not done. */
export const waiting = Symbol('waiting');
export const underWay = Symbol('under way');

/** By item: the value, or the `Failure` in its place. */
export type Column = readonly unknown[];

/** Stored instead of a value when the step failed. */
export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** By item: the failure that keeps a step from running for it; absent: it runs for all. */
export type Blocked = readonly (Failure | undefined)[] | undefined;

/** Everything that lives as long as one request. */
export interface Execution {
  readonly plan: Plan;
  readonly request: EngineRequest;
  readonly calls: Calls;
  /** Begins a step that takes time, for all items that are not blocked. */
  readonly perform: (frame: Frame, step: TimedStep, blocked: Blocked) => void;
  readonly watchStep: WatchStep | undefined;
  readonly onCallEnd: OnCallEnd | undefined;
  /** Whether tolerated steps are left out. */
  readonly shedsSteps: boolean;
  /** Steps of unsafe calls that succeeded. */
  readonly completed: string[];
  /** As far as the replies so far say; not looked at where nothing may be kept anyway. */
  freshness: Freshness;
}

/** Told, once, how the run of a block ended. */
export interface BlockOwner {
  onColumn(frame: Frame, column: Column): void;
  onFailure(frame: Frame, failure: Failure): void;
}

export type FrameOptions = Pick<
  Frame,
  'block' | 'execution' | 'owner' | 'parent' | 'at' | 'items' | 'base' | 'trace'
>;

/** The columns of a block's steps so far. */
export class Frame {
  readonly block: PlanBlock;
  readonly execution: Execution;
  readonly owner: BlockOwner;
  /** The frame of the block around this one, and the item there that this one runs for. */
  readonly parent: Frame | undefined;
  readonly at: number;
  /** The items that `each` hands in; the one value of `given`; of the root, nothing. */
  readonly items: Column;
  /** The index in its list of the first of `items`. */
  readonly base: number;
  /** What telemetry needs to know about the step that runs this block. */
  readonly trace: Trace | undefined;
  /** By slot: the column, once it is there; before, `waiting` or `underWay`. */
  readonly values: (Column | typeof waiting | typeof underWay)[];
  /** By slot: the first failure in the column; where there is none, nobody has to look at its items. */
  failures: (Failure | undefined)[] | undefined;
  /** By slot and item: the parts missing in that value. They count where the value is used. */
  missing: ((readonly Degradation[] | undefined)[] | undefined)[] | undefined;
  /** The frames inside that wait for a column of this one, and for which. */
  readers: { readonly slot: number; readonly frame: Frame }[] | undefined;
  isSweeping = false;
  isOver = false;
  /** Of the block as a whole. */
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
    this.values = Array<typeof waiting>(options.block.steps.length).fill(waiting);
    this.failures = undefined;
    this.missing = undefined;
    this.readers = undefined;
    this.failure = undefined;
  }

  get width(): number {
    return this.items.length;
  }
}

const nothing: readonly Degradation[] = [];

/** The parts missing in the value of a frame's block for one item, once that is complete. */
export function missingIn(frame: Frame, item: number): readonly Degradation[] {
  const { degradedBy } = frame.block;
  for (let index = 0; index < degradedBy.length; index += 1)
    if (partsMissingIn(frame, degradedBy[index], item) !== undefined)
      return partsOfSources(frame, item);
  return nothing;
}

function partsOfSources(frame: Frame, item: number): readonly Degradation[] {
  const { degradedBy, needs } = frame.block;
  const sources = new Set<number>();
  for (const id of needs) addSources(sources, frame, id, item);
  const found = degradedBy
    .filter((id) => sources.has(id))
    .flatMap((id) => partsMissingIn(frame, id, item) ?? nothing);
  return [...new Set(found)];
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
 * Adds the steps that the value of one comes from, for an item. A failure comes from the need that had
 * it first: whether the other needs had their values by then is a matter of time.
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

/** `undefined` where the step is not done. */
function valueOf(frame: Frame, id: number, item: number): unknown {
  const step = stepOf(frame, id);
  const holder = frameOf(frame, step);
  const column = holder.values[step.slot];
  return typeof column === 'object' ? column[itemIn(frame, holder, item)] : undefined;
}

/** Writes down the parts missing in the value of a step for one item. */
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

/** The frame that holds the column of a step: this one or one around it. */
export function frameOf(frame: Frame, step: Step): Frame {
  let current = frame;
  while (current.block.depth > step.depth && current.parent !== undefined) current = current.parent;
  return current;
}

/** The item of `holder`, a frame around, that an item of `frame` belongs to. */
export function itemIn(frame: Frame, holder: Frame, item: number): number {
  let index = item;
  for (let current = frame; current !== holder && current.parent !== undefined;) {
    index = current.at;
    current = current.parent;
  }
  return index;
}

/**
 * `undefined`: all `ids` have values. `waiting`: not yet. A failure: one of them will never have a value
 * for any item. A list: some items will have none, for these failures.
 */
export function unmetNeed(
  frame: Frame,
  ids: readonly number[],
): typeof waiting | Failure | readonly (Failure | undefined)[] | undefined {
  let isWaiting = false;
  let blocked: (Failure | undefined)[] | undefined;
  // By index, here and below: V8 makes an object for every step through a frozen array, a sixth of what a
  // page of lookups allocates.
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

/** The value a source points at for an item, which is known. Fields of `null` are `null`, of `undefined` `undefined`. */
export function read(frame: Frame, { node, path }: Source, item: number): unknown {
  const step = stepOf(frame, node);
  const holder = frameOf(frame, step);
  const column = holder.values[step.slot];
  let value = (column as Column)[holder === frame ? item : itemIn(frame, holder, item)]; // it is known
  for (let index = 0; index < path.length; index += 1) {
    const key = path[index] ?? '';
    if (value === null || value === undefined) return value;
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined; // `hasOwn` says so
  }
  return value;
}

/** Fills a template for an item. Fields keep the order in which they were declared. */
export function assemble(frame: Frame, template: Template, item: number): unknown {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'reference':
      return read(frame, template.source, item);
    case 'array':
      return template.items.map((part) => assemble(frame, part, item));
    case 'object': {
      const object: Record<string, unknown> = {};
      const { entries } = template;
      for (let index = 0; index < entries.length; index += 1) {
        const entry = entries[index];
        if (entry !== undefined) object[entry[0]] = assemble(frame, entry[1], item);
      }
      return object;
    }
    default:
      return template satisfies never;
  }
}

/** The JSON Pointer (RFC 6901) of a place, as seen from an item of a frame. */
export function pointerTo(frame: Frame, place: Place, item: number): string {
  return toPointer(
    place.map((part) => (typeof part === 'string' ? part : indexAt(frame, part, item))),
  );
}

/** The index in its list of the item that the frame at `depth`, this or one around it, runs for. */
function indexAt(frame: Frame, depth: number, item: number): string {
  let current = frame;
  let index = item;
  while (current.block.depth > depth && current.parent !== undefined) {
    index = current.at;
    current = current.parent;
  }
  return String(current.base + index);
}

export function stepOf({ execution }: Frame, id: number | undefined): Step {
  const step = id === undefined ? undefined : execution.plan.steps[id];
  if (step === undefined) throw new Error(`the plan has no step ${id}`);
  return step;
}
