/** Walks over the nodes of a composition and the steps of a plan. */
import type { Block, EachNode, GivenNode, InsteadNode, Node, Source } from '../dsl/node.ts';
import { blockOf } from '../dsl/node-traits.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Service } from '../dsl/service.ts';
import type { Plan } from './plan.ts';
import type { Composed } from './run-compose.ts';

/** All operations a plan may call, each once. */
export function operationsOf({ steps }: Pick<Plan, 'steps'>): Operation[] {
  return [...new Set(steps.flatMap((step) => (step.kind === 'call' ? [step.operation] : [])))];
}

/** All services that plans may call, each once. */
export function servicesOf(plans: readonly Pick<Plan, 'steps'>[]): Service[] {
  return [...new Set(plans.flatMap(operationsOf).map(({ service }) => service))];
}

/** The root block and all blocks inside. */
export function blocksOf({ nodes, root }: Pick<Composed, 'nodes' | 'root'>): Block[] {
  return [root, ...nodes.flatMap((node) => blockOf(node) ?? [])];
}

/** The depth of each block: how many blocks are around it. */
export function depthsOf({ nodes, root }: Composed): ReadonlyMap<Block, number> {
  const depths = new Map<Block, number>();
  function descend(block: Block, depth: number): void {
    depths.set(block, depth);
    for (const node of nodesOf(nodes, block.nodes)) {
      const inner = blockOf(node);
      if (inner !== undefined) descend(inner, depth + 1);
    }
  }
  descend(root, 0);
  return depths;
}

/** The nodes with the numbers `ids`. */
export function nodesOf(nodes: readonly Node[], ids: readonly number[]): Node[] {
  return ids.flatMap((id) => nodes[id] ?? []);
}

/** The numbers of the nodes of a block and of the blocks inside. */
export function idsInside(nodes: readonly Node[], block: Block): number[] {
  const inner = nodesOf(nodes, block.nodes).flatMap((node) => blockOf(node) ?? []);
  return [...block.nodes, ...inner.flatMap((one) => idsInside(nodes, one))];
}

/** Whether a node, or one in its block, calls an operation that may change something. */
export function writes(nodes: readonly Node[], node: Node): boolean {
  if (node.kind === 'call') return !node.operation.safe;
  const block = blockOf(node);
  if (block === undefined) return false;
  return nodesOf(nodes, block.nodes).some((inner) => writes(nodes, inner));
}

/** The node that gives its block the value, items or failure for which an item node stands. */
export function ownerOf(nodes: readonly Node[], item: number): Owner | undefined {
  return nodes.find((node): node is Owner => 'item' in node && node.item === item);
}

type Owner = GivenNode | EachNode | InsteadNode;

/** The transitive closure: `ids`, what they need, what that needs, and so on. */
export function reachedFrom(
  ids: Iterable<number>,
  needsOf: (id: number) => readonly number[],
): ReadonlySet<number> {
  const reached = new Set(ids);
  // Iterating a set also visits what is added to it on the way.
  for (const id of reached) for (const need of needsOf(id)) reached.add(need);
  return reached;
}

/** The numbers of the nodes that sources point at, each once. */
export function idsOf(sources: readonly Source[]): number[] {
  return [...new Set(sources.map(({ node }) => node))];
}
