/** The values of one run of a block. */
import type { Source, Template } from '../dsl/node.ts';
import type { Trace } from '../trace.ts';
import { toPointer } from '../json.ts';
import type { Place, PlanBlock, Step } from '../plan/plan.ts';
import type { Execution } from './execution.ts';
import type { Degradation } from './step-error.ts';

/** In the place of a value: its step waits for others, or has begun and is not done. */
export const waiting = Symbol('waiting');
export const underWay = Symbol('under way');

/** In the place of a value: what its step failed of. */
export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** Told, once, how the run of a block ended. */
export interface BlockOwner {
  onValue(frame: Frame, value: unknown): void;
  onFailure(frame: Frame, error: unknown): void;
}

export type FrameOptions = Pick<
  Frame,
  'block' | 'execution' | 'owner' | 'parent' | 'item' | 'index' | 'trace'
>;

/** What a block's steps have produced so far. A block inside `each` has one frame per item. */
export class Frame {
  readonly block: PlanBlock;
  readonly execution: Execution;
  readonly owner: BlockOwner;
  /** The frame of the block around this one. */
  readonly parent: Frame | undefined;
  /** What `given` or `each` hands in, and the item's index in the list. */
  readonly item: unknown;
  readonly index: number | undefined;
  /** Opaque: what telemetry needs to know about the step that runs this block. */
  readonly trace: Trace | undefined;
  /** By slot: the value, once it is there; before, `waiting` or `underWay`; or a `Failure`. */
  readonly values: unknown[];
  /** By slot: what is missing in the value. It counts where that value is used. */
  missing: (readonly Degradation[] | undefined)[] | undefined;
  /** The frames inside that wait for a value of this one, and for which. */
  readers: { readonly slot: number; readonly frame: Frame }[] | undefined;
  isSweeping = false;
  isOver = false;
  /** What its block failed of. */
  failure: Failure | undefined;

  constructor(options: FrameOptions) {
    this.block = options.block;
    this.execution = options.execution;
    this.owner = options.owner;
    this.parent = options.parent;
    this.item = options.item;
    this.index = options.index;
    this.trace = options.trace;
    this.values = Array<unknown>(options.block.steps.length).fill(waiting);
    this.missing = undefined;
    this.readers = undefined;
    this.failure = undefined;
  }
}

const nothing: readonly Degradation[] = [];

/** What is missing in the value of a frame's block, once that is complete. */
export function missingIn(frame: Frame): readonly Degradation[] {
  let found: Set<Degradation> | undefined;
  const { degradedBy } = frame.block;
  for (let index = 0; index < degradedBy.length; index += 1) {
    const step = stepOf(frame, degradedBy[index]);
    const here = frameOf(frame, step).missing?.[step.slot];
    if (here !== undefined) for (const one of here) (found ??= new Set()).add(one);
  }
  return found === undefined ? nothing : [...found];
}

/** Writes down what is missing in the value of a step. */
export function noteMissing(frame: Frame, { slot }: Step, what: readonly Degradation[]): void {
  if (what.length > 0) (frame.missing ??= [])[slot] = what;
}

/** The frame that holds the value of a step: this one or one around it. */
export function frameOf(frame: Frame, step: Step): Frame {
  let current = frame;
  while (current.block.depth > step.depth && current.parent !== undefined) current = current.parent;
  return current;
}

/** What stands where the value of a step goes: see `Frame.values`. */
export function stateOf(frame: Frame, id: number | undefined): unknown {
  const step = stepOf(frame, id);
  return frameOf(frame, step).values[step.slot];
}

/** `undefined`: all `ids` have values. Otherwise `waiting`, or the failure of one that will never have one. */
export function lackOf(frame: Frame, ids: readonly number[]): typeof waiting | Failure | undefined {
  let lack: typeof waiting | undefined;
  // By index, here and below: V8 makes an object for every step through a frozen array, a sixth of what a
  // page of lookups allocates.
  for (let index = 0; index < ids.length; index += 1) {
    const state = stateOf(frame, ids[index]);
    if (state instanceof Failure) return state;
    if (state === waiting || state === underWay) lack = waiting;
  }
  return lack;
}

/** The value a source points at, which is known. Fields of `null` are `null`, of `undefined` `undefined`. */
export function read(frame: Frame, { node, path }: Source): unknown {
  let value = stateOf(frame, node);
  for (let index = 0; index < path.length; index += 1) {
    const key = path[index] ?? '';
    if (value === null || value === undefined) return value;
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined; // `hasOwn` says so
  }
  return value;
}

/** Fills a template. Fields keep the order in which they were declared. */
export function assemble(frame: Frame, template: Template): unknown {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'reference':
      return read(frame, template.source);
    case 'array':
      return template.items.map((item) => assemble(frame, item));
    case 'object': {
      const object: Record<string, unknown> = {};
      const { entries } = template;
      for (let index = 0; index < entries.length; index += 1) {
        const entry = entries[index];
        if (entry !== undefined) object[entry[0]] = assemble(frame, entry[1]);
      }
      return object;
    }
    default:
      return template satisfies never;
  }
}

/**
 * The JSON Pointer (RFC 6901) of a place, as seen from a frame. Where the place is inside a list and
 * the frame is not, the pointer ends at the list.
 */
export function pointerTo(frame: Frame, place: Place): string {
  const parts: string[] = [];
  for (const part of place) {
    const text = typeof part === 'string' ? part : indexAt(frame, part);
    if (text === undefined) break;
    parts.push(text);
  }
  return toPointer(parts);
}

function indexAt(frame: Frame, depth: number): string | undefined {
  let current: Frame | undefined = frame;
  while (current !== undefined && current.block.depth > depth) current = current.parent;
  return current?.block.depth === depth ? String(current.index) : undefined;
}

export function stepOf({ execution }: Frame, id: number | undefined): Step {
  const step = id === undefined ? undefined : execution.plan.steps[id];
  if (step === undefined) throw new Error(`the plan has no step ${id}`);
  return step;
}
