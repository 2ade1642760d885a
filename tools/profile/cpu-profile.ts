/** V8's CPU profile → a tree of frames with times, and the times of owners and functions. */
import type { Profiler } from 'node:inspector';
import { fileOf, ownerOf } from './owner.ts';

/** A function as called from one place: the sum of all its calls. */
export interface Frame {
  readonly name: string;
  /** `file:line`; empty where there is no file. */
  readonly place: string;
  readonly owner: string;
  readonly selfMicros: number;
  /** With everything it calls. */
  readonly totalMicros: number;
  /** The expensive ones first. */
  readonly children: readonly Frame[];
}

type Node = Profiler.ProfileNode;

/** The name of functions that have none. */
export const anonymous = '(anonymous)';

/** The frame above all others: all work of the program. */
export function toTree({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const times = selfTimes(samples, timeDeltas);
  const childrenOf = ({ children = [] }: Node) => children.flatMap((id) => byId.get(id) ?? []);

  /** V8 has several nodes for a function that was compiled again meanwhile. */
  function toFrame(same: readonly Node[], { callFrame }: Node, caller: string): Frame {
    const { functionName, url, lineNumber } = callFrame;
    const owner = ownerOf(functionName, url, caller);
    const file = fileOf(url);
    const children = [...Map.groupBy(same.flatMap(childrenOf), identityOf).values()]
      .flatMap((group) => group.slice(0, 1).map((first) => toFrame(group, first, owner)))
      .filter((child) => !isNoWork(child))
      .toSorted((one, other) => other.totalMicros - one.totalMicros);
    const selfMicros = sum(same.map(({ id }) => times.get(id) ?? 0));
    return {
      name: functionName || anonymous,
      // V8 counts from 0.
      place: file === '' ? '' : `${file}:${lineNumber + 1}`,
      owner,
      selfMicros,
      totalMicros: selfMicros + sum(children.map(({ totalMicros }) => totalMicros)),
      children,
    };
  }

  const root = nodes.at(0);
  if (root === undefined) throw new Error('The profile is empty.');
  return toFrame([root], root, '(program)');
}

/** Idle time, and the profiler's own starting and stopping. */
function isNoWork({ name, place }: Frame): boolean {
  return name === '(idle)' || place.startsWith('node:inspector');
}

/** A sample stands until the next one; before the first one the profiler starts. */
function selfTimes(
  samples: readonly number[],
  timeDeltas: readonly number[],
): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  samples.forEach((id, index) =>
    times.set(id, (times.get(id) ?? 0) + (timeDeltas[index + 1] ?? 0)),
  );
  return times;
}

function identityOf({ callFrame }: Node): string {
  const { functionName, url, lineNumber, columnNumber } = callFrame;
  return `${functionName} ${url}:${lineNumber}:${columnNumber}`;
}

export interface Share {
  readonly owner: string;
  readonly micros: number;
}

/** The greatest first. */
export function byOwner(tree: Frame): readonly Share[] {
  return [...Map.groupBy(framesOf(tree), ({ owner }) => owner)]
    .map(([owner, frames]) => ({ owner, micros: sum(frames.map((frame) => frame.selfMicros)) }))
    .filter(({ micros }) => micros > 0)
    .toSorted((one, other) => other.micros - one.micros);
}

export interface FunctionShare extends Share {
  readonly name: string;
  readonly place: string;
}

/** The greatest first, without time outside of any function. */
export function byFunction(tree: Frame): readonly FunctionShare[] {
  const functions = [...framesOf(tree)].filter(({ name, owner }) => name !== owner);
  const grouped = Map.groupBy(functions, ({ name, place, owner }) => `${name} ${place} ${owner}`);
  return [...grouped.values()]
    .flatMap((frames) =>
      frames.slice(0, 1).map(({ name, place, owner }) => {
        return { name, place, owner, micros: sum(frames.map((frame) => frame.selfMicros)) };
      }),
    )
    .filter(({ micros }) => micros > 0)
    .toSorted((one, other) => other.micros - one.micros);
}

function* framesOf(frame: Frame): Generator<Frame> {
  yield frame;
  for (const child of frame.children) yield* framesOf(child);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
