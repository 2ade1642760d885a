/** Whether an `each` can run each step for all items at once, as one column. */
import type { Block, Node } from '../dsl/node.ts';
import { blockOf, readsOf, sourcesOf, takesTime } from '../dsl/node-traits.ts';
import { lookupArgumentsOf } from './lookup-arguments.ts';
import { idsInside, idsOf, nodesOf } from './visit.ts';

/**
 * False if an item would wait for other items without need (head-of-line blocking): if a step
 * follows a call that is answered separately for each item. Lookups are answered for all items
 * together, unless their other arguments differ between items, which makes them several requests.
 */
export function staysTogether(nodes: readonly Node[], block: Block): boolean {
  const inside = new Set(idsInside(nodes, block));
  // The nodes whose values arrive at another time for each item.
  const scattered = new Set<number>();
  for (const id of block.nodes) {
    const node = nodes[id];
    if (node === undefined) continue;
    const follows = allReadsOf(nodes, node).some((read) => scattered.has(read));
    if (follows && takesTime(node)) return false;
    if (follows || hasOwnPace(nodes, node, inside)) scattered.add(id);
  }
  return true;
}

/** Whether a node, or one in its block, makes a separate call for each item. */
function hasOwnPace(nodes: readonly Node[], node: Node, inside: ReadonlySet<number>): boolean {
  if (node.kind === 'call') return lookupArgumentsOf(node, inside)?.varies ?? true;
  const block = blockOf(node);
  if (block === undefined) return false;
  return nodesOf(nodes, block.nodes).some((one) => hasOwnPace(nodes, one, inside));
}

/** The numbers of all nodes that a node reads, its block included. */
function allReadsOf(nodes: readonly Node[], node: Node): number[] {
  const own = idsOf(readsOf(node));
  const block = blockOf(node);
  if (block === undefined) return own;
  const inner = nodesOf(nodes, block.nodes).flatMap((one) => allReadsOf(nodes, one));
  return [...own, ...inner, ...idsOf(sourcesOf(block.template))];
}
