/** What the failure of a step means to the steps around it, as far as the plan alone can tell. */
import type { Block, Node } from '../dsl/node.ts';
import { readsOf, sourcesOf, traitsOf } from '../dsl/node-traits.ts';
import type { Dooms } from './plan.ts';
import type { Recorded } from './record.ts';
import { blocksOf, idsOf } from './visit.ts';

/** Steps that only guards read: nothing else fails with them. */
export function toleratedSteps(recorded: Recorded): ReadonlyMap<number, 'optional' | 'fallback'> {
  const { nodes } = recorded;
  const bare = new Set(blocksOf(recorded).flatMap(({ template }) => idsOf(sourcesOf(template))));
  for (const node of nodes)
    if (node.kind !== 'guard') for (const read of idsOf(readsOf(node))) bare.add(read);
  const guards = nodes.filter((node) => node.kind === 'guard');
  return new Map(
    guards.filter(({ guarded }) => !bare.has(guarded)).map(({ guarded, mode }) => [guarded, mode]),
  );
}

/**
 * Whether the failure of each node of a block ends the block. Follows what the block's own nodes read
 * of each other; a block inside may have nothing to run for, so what it reads decides nothing.
 */
export function doomsIn(
  nodes: readonly Node[],
  block: Block,
  blockNeeds: readonly number[],
): ReadonlyMap<number, Dooms> {
  const dooms = new Map<number, Dooms>(blockNeeds.map((id) => [id, 'always']));
  // Nodes read earlier ones only: when a node's turn comes, all its readers have had theirs.
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

/** All that the `needs` of a block come from, as far as it can be incomplete, in the order written. */
export function degradedBy(nodes: readonly Node[], needs: readonly number[]): number[] {
  const sources = new Set(needs);
  // Iterating a set also visits what is added to it on the way.
  for (const id of sources) {
    const node = nodes[id];
    for (const read of node === undefined ? [] : idsOf(readsOf(node))) sources.add(read);
  }
  return [...sources].filter((id) => canBeIncomplete(nodes[id])).toSorted((a, b) => a - b);
}

function canBeIncomplete(node: Node | undefined): boolean {
  return node !== undefined && traitsOf(node).canBeIncomplete;
}
