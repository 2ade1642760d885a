/** Nodes → steps: the frame and the slot of each, what it needs, and which failures are tolerated. */
import type { Block, Node } from '../dsl/node.ts';
import { readsOf, sourcesOf, traitsOf } from '../dsl/node-traits.ts';
import { nameSteps } from './names.ts';
import { findPlaces } from './places.ts';
import type { PlanBlock, Step } from './plan.ts';
import type { Recorded } from './record.ts';
import { blocksOf, depthsOf, idsOf } from './visit.ts';

/** The steps of a recorded composition, by number, and its root block. */
export function link(recorded: Recorded): { steps: readonly Step[]; root: PlanBlock } {
  const { nodes } = recorded;
  const names = nameSteps(recorded);
  const places = findPlaces(recorded);
  const depths = depthsOf(recorded);
  const tolerated = toleratedSteps(recorded);
  const consumed = consumedNodes(recorded);
  const steps: Step[] = [];

  function linkBlock(block: Block, repeated: boolean): PlanBlock {
    const depth = depths.get(block) ?? 0;
    const linked = block.nodes.map((id, slot) => {
      const node = known(nodes[id]);
      const facts = {
        id,
        name: names[id] ?? node.kind,
        needs: idsOf(readsOf(node)),
        depth,
        slot,
        tolerated: tolerated.get(id),
      };
      const step = linkNode(node, facts, repeated);
      steps[id] = step;
      return step;
    });
    const unused = linked.filter((step) => !consumed.has(step.id) && traitsOf(step).hasEffect);
    const needs = [
      ...new Set([...idsOf(sourcesOf(block.template)), ...unused.map(({ id }) => id)]),
    ];
    return {
      depth,
      repeated,
      steps: linked,
      template: block.template,
      needs,
      degradedBy: degradedBy(nodes, needs),
    };
  }

  function linkNode(node: Node, facts: Facts, repeated: boolean): Step {
    switch (node.kind) {
      case 'input':
      case 'item':
      case 'call':
      case 'map':
      case 'shape':
        return { ...facts, ...node };
      case 'guard':
        return { ...facts, ...node, places: places.get(facts.id) ?? [] };
      case 'given':
        return { ...facts, ...node, block: linkBlock(node.block, repeated) };
      case 'each':
        return { ...facts, ...node, block: linkBlock(node.block, true) };
      default:
        return node satisfies never;
    }
  }

  const root = linkBlock(recorded.root, false);
  return { steps, root };
}

/** What is known of a step whatever its kind. */
type Facts = Pick<Step, 'id' | 'name' | 'needs' | 'depth' | 'slot' | 'tolerated'>;

/** All that the `needs` of a block come from, as far as it can be incomplete, as it was written. */
function degradedBy(nodes: readonly Node[], needs: readonly number[]): number[] {
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

/** Steps whose every reader is a guard: nothing else fails with them. */
function toleratedSteps(recorded: Recorded): ReadonlyMap<number, 'optional' | 'fallback'> {
  const { nodes } = recorded;
  const bare = new Set(readByTemplates(recorded));
  for (const node of nodes)
    if (node.kind !== 'guard') for (const read of idsOf(readsOf(node))) bare.add(read);
  const guards = nodes.filter((node) => node.kind === 'guard');
  return new Map(
    guards.filter(({ guarded }) => !bare.has(guarded)).map(({ guarded, mode }) => [guarded, mode]),
  );
}

/** The nodes that templates and steps read. What only an unused computation reads is unused too. */
function consumedNodes(recorded: Recorded): ReadonlySet<number> {
  const consumed = new Set(readByTemplates(recorded));
  // Nodes read earlier ones only, so every reader of a node comes before it here.
  for (const [id, node] of [...recorded.nodes.entries()].toReversed()) {
    if (consumed.has(id) || traitsOf(node).hasEffect)
      for (const read of idsOf(readsOf(node))) consumed.add(read);
  }
  return consumed;
}

function readByTemplates(recorded: Recorded): number[] {
  return blocksOf(recorded).flatMap(({ template }) => idsOf(sourcesOf(template)));
}

function known(node: Node | undefined): Node {
  if (node === undefined) throw new Error('a block lists a node that does not exist');
  return node;
}
