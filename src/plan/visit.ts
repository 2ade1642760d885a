/** Ways through nodes and templates. */
import type { Block, Node, Source, Template } from '../dsl/node.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Recorded } from './record.ts';
import type { Plan } from './plan.ts';

/** All operations a plan may call, each once. */
export function operationsOf({ steps }: Pick<Plan, 'steps'>): Operation[] {
  return [...new Set(steps.flatMap(({ node }) => (node.kind === 'call' ? [node.operation] : [])))];
}

/** The root block and all blocks inside. */
export function blocksOf({ nodes, root }: Recorded): Block[] {
  return [root, ...nodes.flatMap((node) => ('block' in node ? [node.block] : []))];
}

/** All sources a template refers to, in order. */
export function sourcesOf(template: Template): Source[] {
  switch (template.kind) {
    case 'literal':
      return [];
    case 'reference':
      return [template.source];
    case 'object':
      return template.entries.flatMap(([, part]) => sourcesOf(part));
    case 'array':
      return template.items.flatMap(sourcesOf);
    default:
      return template satisfies never;
  }
}

/** What a node itself reads; the block inside a `given` or `each` reads on its own. */
export function readsOf(node: Node): Source[] {
  switch (node.kind) {
    case 'input':
    case 'item':
      return [];
    case 'call':
      return sourcesOf(node.args);
    case 'map':
      return sourcesOf(node.inputs);
    case 'shape':
      return [node.from];
    case 'guard':
      return [{ node: node.step, path: [] }];
    case 'given':
      return [node.on];
    case 'each':
      return [node.over];
    default:
      return node satisfies never;
  }
}
