/** How the failure of a step affects the steps around it, as far as the plan alone can tell. */
import type { Block, Node } from '../dsl/node.ts';
import { blockSources, readsOf, traitsOf } from '../dsl/node-traits.ts';
import type { Dooms } from './plan.ts';
import type { Composed } from './run-compose.ts';
import { blocksOf, idsOf, nodesOf, reachedFrom } from './visit.ts';

/** Steps that only guards read: nothing else fails with them. */
export function toleratedSteps(composed: Composed): ReadonlyMap<number, 'optional' | 'fallback'> {
  const { nodes } = composed;
  const bare = new Set(blocksOf(composed).flatMap((block) => idsOf(blockSources(block))));
  for (const node of nodes)
    if (node.kind !== 'guard') for (const read of idsOf(readsOf(node))) bare.add(read);
  const guards = nodes.filter((node) => node.kind === 'guard');
  return new Map(
    guards.filter(({ guarded }) => !bare.has(guarded)).map(({ guarded, mode }) => [guarded, mode]),
  );
}

/**
 * Whether the failure of a node ends its block, for every node of the block. Only readers in the
 * same block count: an inner block may have no item to run for, so nothing certain follows from its
 * reads.
 */
export function doomsIn(
  nodes: readonly Node[],
  block: Block,
  blockNeeds: readonly number[],
): ReadonlyMap<number, Dooms> {
  const dooms = new Map<number, Dooms>(blockNeeds.map((id) => [id, 'always']));
  // A node reads earlier nodes only, so in reverse order its readers come first.
  for (const id of block.nodes.toReversed()) {
    const node = nodes[id];
    const own = dooms.get(id) ?? 'perhaps';
    dooms.set(id, own);
    if (node === undefined || own === 'perhaps') continue;
    const passedOn = node.kind === 'guard' ? 'untolerated' : own;
    for (const read of idsOf(readsOf(node)))
      if (passedOn === 'always' || dooms.get(read) !== 'always') dooms.set(read, passedOn);
  }
  return dooms;
}

/**
 * The nodes that the `needs` of a block derive from and that can be incomplete, in written order.
 */
export function degradedBy(nodes: readonly Node[], needs: readonly number[]): number[] {
  const sources = reachedFrom(needs, (id) => idsOf(nodesOf(nodes, [id]).flatMap(readsOf)));
  return [...sources].filter((id) => canBeIncomplete(nodes[id])).toSorted((a, b) => a - b);
}

function canBeIncomplete(node: Node | undefined): boolean {
  return node !== undefined && traitsOf(node).canBeIncomplete;
}
