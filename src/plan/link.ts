/** Nodes → steps: who waits for whom, which frame holds what, what is tolerated. */
import type { Block, Node, Source } from '../dsl/node.ts';
import type { Drawing } from './draw.ts';
import { nameSteps } from './names.ts';
import { findPlaces } from './places.ts';
import type { PlanBlock, Step } from './plan.ts';
import { readsOf, sourcesOf } from './visit.ts';

/** The steps of a drawing, by number, and its root block. */
export function link(drawing: Drawing): { steps: readonly Step[]; root: PlanBlock } {
  const { nodes } = drawing;
  const names = nameSteps(drawing);
  const places = findPlaces(drawing);
  const tolerated = toleratedSteps(nodes);
  const consumed = consumedNodes(drawing);
  const steps: Step[] = [];

  function linkBlock(block: Block, depth: number): PlanBlock {
    const linked = block.nodes.map((id, slot) => linkNode(id, { depth, slot }));
    const unused = block.nodes.filter((id) => !consumed.has(id) && hasEffect(nodes[id]));
    const waits = [...new Set([...nodesOf(sourcesOf(block.template)), ...unused])];
    return { depth, steps: linked, template: block.template, waits };
  }

  function linkNode(id: number, position: { depth: number; slot: number }): Step {
    const node = known(nodes[id]);
    const step: Step = {
      ...position,
      id,
      node,
      name: names[id] ?? node.kind,
      needs: [...new Set(nodesOf(readsOf(node)))],
      tolerated: tolerated.get(id),
      block: 'block' in node ? linkBlock(node.block, position.depth + 1) : undefined,
      places: places.get(id) ?? [],
    };
    steps[id] = step;
    return step;
  }

  const root = linkBlock(drawing.root, 0);
  return { steps, root };
}

function toleratedSteps(nodes: readonly Node[]): ReadonlyMap<number, 'optional' | 'fallback'> {
  return new Map(nodes.flatMap((node) => (node.kind === 'guard' ? [[node.step, node.mode]] : [])));
}

/** What templates and steps read. What only an unused computation reads is as unused as that is. */
function consumedNodes({ nodes, root }: Drawing): ReadonlySet<number> {
  const blocks = [root, ...nodes.flatMap((node) => ('block' in node ? [node.block] : []))];
  const consumed = new Set(blocks.flatMap(({ template }) => nodesOf(sourcesOf(template))));
  // Nodes read earlier ones only, so every reader of a node comes before it here.
  for (const [id, node] of [...nodes.entries()].toReversed()) {
    if (consumed.has(id) || hasEffect(node))
      for (const read of nodesOf(readsOf(node))) consumed.add(read);
  }
  return consumed;
}

function nodesOf(sources: readonly Source[]): number[] {
  return sources.map((source) => source.node);
}

/** Computing a value that nobody reads does nothing; calling a service does. */
function hasEffect(node: Node | undefined): boolean {
  return node !== undefined && ['call', 'guard', 'given', 'each'].includes(node.kind);
}

function known(node: Node | undefined): Node {
  if (node === undefined) throw new Error('a block lists a node that does not exist');
  return node;
}
