/** How the failure of a step affects the steps around it, as far as the plan alone can tell. */
import type { Block, Node } from '../dsl/node.ts';
import { absorbs, blockSources, readsOf, takesTime, traitsOf } from '../dsl/node-traits.ts';
import type { Dooms } from './plan.ts';
import type { Composed } from './run-compose.ts';
import { blocksOf, idsOf, nodesOf, reachedFrom, writes } from './visit.ts';

/** Steps that only guards and second sources read: nothing else fails with them. */
export function toleratedSteps(composed: Composed): ReadonlyMap<number, 'optional' | 'fallback'> {
  const bare = bareSteps(composed);
  return new Map(
    composed.nodes
      .filter(absorbs)
      .filter(({ guarded }) => !bare.has(guarded))
      .map((node) => [node.guarded, node.kind === 'guard' ? node.mode : 'fallback']),
  );
}

/** The steps whose failure would fail another node or the value of a block. */
function bareSteps(composed: Composed): ReadonlySet<number> {
  const bare = new Set(blocksOf(composed).flatMap((block) => idsOf(blockSources(block))));
  for (const node of composed.nodes)
    for (const { node: read } of readsOf(node))
      if (!absorbs(node) || read !== node.guarded) bare.add(read);
  return bare;
}

/**
 * Steps that may be left out under overload: that is tolerated, and no second source would be asked
 * instead. A second source itself begins only after a failure, which is rare.
 */
export function sheddableSteps(composed: Composed): ReadonlySet<number> {
  const { nodes } = composed;
  const bare = bareSteps(composed);
  // By step: whether its shedding is tolerated by each node that reads it. Readers come later.
  const found = new Map<number, boolean>();
  for (const [id, node] of [...nodes.entries()].toReversed()) {
    if (!absorbs(node)) continue;
    const may = node.kind === 'guard' || (found.get(id) ?? false);
    found.set(node.guarded, may && !bare.has(node.guarded) && (found.get(node.guarded) ?? true));
  }
  const may = [...found].filter(([id, isTolerated]) => isTolerated && mayBeLeftOut(nodes, id));
  return new Set(may.map(([id]) => id));
}

function mayBeLeftOut(nodes: readonly Node[], id: number): boolean {
  const node = nodes[id];
  if (node === undefined || node.kind === 'instead') return false;
  return takesTime(node) && !writes(nodes, node);
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
    for (const read of idsOf(readsOf(node))) {
      const passedOn = absorbs(node) && read === node.guarded ? 'untolerated' : own;
      if (passedOn === 'always' || dooms.get(read) !== 'always') dooms.set(read, passedOn);
    }
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
