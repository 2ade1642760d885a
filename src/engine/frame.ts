/** The values of one run of a block. */
import type { Source, Template } from '../dsl/node.ts';
import { toPointer } from '../json.ts';
import type { Place, PlanBlock, Step } from '../plan/plan.ts';
import type { Degradation } from './step-error.ts';

/** What a block's steps have produced so far. A block inside `each` has one frame per item. */
export interface Frame {
  readonly block: PlanBlock;
  readonly steps: readonly Step[];
  /** The frame of the block around this one. */
  readonly parent: Frame | undefined;
  /** What `given` or `each` hands in, and the item's index in the list. */
  readonly item: unknown;
  readonly index: number | undefined;
  /** Opaque: what telemetry needs to know about the step that runs this block. */
  readonly trace: unknown;
  /** By slot: the value, once it is there. */
  readonly values: unknown[];
  /** By slot: the step under way, or failed; empty when the value is there. */
  readonly pending: (Promise<unknown> | undefined)[];
  /** By slot: what is missing in the value. It counts where that value is used. */
  readonly missing: (readonly Degradation[] | undefined)[];
}

export function createFrame(part: Omit<Frame, 'values' | 'pending' | 'missing'>): Frame {
  const slots = (): undefined[] => part.block.steps.map(nothing);
  return { ...part, values: slots(), pending: slots(), missing: slots() };
}

function nothing(): undefined {
  return undefined;
}

/** What is missing in the value of a frame's block, once that is complete. */
export function missingIn(frame: Frame): readonly Degradation[] {
  const found = new Set<Degradation>();
  for (const id of frame.block.gaps) {
    const step = stepOf(frame, id);
    for (const one of frameOf(frame, step).missing[step.slot] ?? []) found.add(one);
  }
  return [...found];
}

/** The frame that holds the value of a step: this one or one around it. */
function frameOf(frame: Frame, step: Step): Frame {
  let current = frame;
  while (current.block.depth > step.depth && current.parent !== undefined) current = current.parent;
  return current;
}

/** Settles when all `ids` have values; `undefined` when they have them already. */
export function whenKnown(frame: Frame, ids: readonly number[]): Promise<unknown> | undefined {
  const pending: Promise<unknown>[] = [];
  for (const id of ids) {
    const promise = pendingOf(frame, id);
    if (promise !== undefined) pending.push(promise);
  }
  return pending.length === 0
    ? undefined
    : pending.length === 1
      ? pending[0]
      : Promise.all(pending);
}

/** The step under way, or failed; `undefined` when its value is there. */
export function pendingOf(frame: Frame, id: number): Promise<unknown> | undefined {
  const step = stepOf(frame, id);
  return frameOf(frame, step).pending[step.slot];
}

/** The value a source points at. Fields of `null` are `null`, of `undefined` `undefined`. */
export function read(frame: Frame, { node, path }: Source): unknown {
  const step = stepOf(frame, node);
  let value = frameOf(frame, step).values[step.slot];
  for (const key of path) {
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
      for (const [key, part] of template.entries) object[key] = assemble(frame, part);
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

function stepOf(frame: Frame, id: number): Step {
  const step = frame.steps[id];
  if (step === undefined) throw new Error(`the plan has no step ${id}`);
  return step;
}
