/** A CPU profile as V8 writes it, from stacks with their times. */
import type { Profiler } from 'node:inspector';
import { pathToFileURL } from 'node:url';

const root = pathToFileURL(`${import.meta.dirname}/../../`).href;

/** Of `src/json.ts`, as V8 names it. */
export function inProject(file: string): string {
  return root + file;
}

/** From the outermost caller; each function is `name` or `name url`. */
export type Sample = readonly [micros: number, ...stack: readonly string[]];

/** A node for each place in the tree, and a sample for each stack. The first sample begins after 1 s. */
export function profileOf(...samples: readonly Sample[]): Profiler.Profile {
  const nodes = [toNode(1, '(root)')];
  const sampled = samples.map(([, ...stack]) =>
    stack.reduce((caller, called) => childOf(nodes, caller, called), 1),
  );
  const micros = samples.map(([time]) => time);
  return {
    nodes,
    startTime: 0,
    endTime: 0,
    // The last sample of a profile has no end, so there is one more.
    samples: [...sampled, 1],
    timeDeltas: [1_000_000, ...micros],
  };
}

function childOf(nodes: ReturnType<typeof toNode>[], callerId: number, called: string): number {
  const caller = nodes.find(({ id }) => id === callerId);
  const { functionName, url } = toNode(0, called).callFrame;
  const known = nodes.find(
    ({ id, callFrame }) =>
      caller?.children.includes(id) === true &&
      callFrame.functionName === functionName &&
      callFrame.url === url,
  );
  if (known !== undefined) return known.id;
  const node = toNode(nodes.length + 1, called);
  nodes.push(node);
  caller?.children.push(node.id);
  return node.id;
}

function toNode(id: number, text: string) {
  const outside = /^\(.*\)$/.test(text);
  const [functionName = '', url = ''] = outside ? [text] : text.split(' ');
  const callFrame = { functionName, url, scriptId: '0', lineNumber: 9, columnNumber: 0 };
  return { id, callFrame, children: [] as number[] };
}
