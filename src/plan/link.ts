/** Nodes → steps: who waits for whom, which frame holds what, what is tolerated. */
import type { Block, Node, Source } from '../dsl/node.ts';
import type { Recorded } from './record.ts';
import { nameSteps } from './names.ts';
import { findPlaces } from './places.ts';
import type { PlanBlock, Step } from './plan.ts';
import { blocksOf, readsOf, sourcesOf } from './visit.ts';

interface Position {
  readonly depth: number;
  readonly slot: number;
  readonly repeated: boolean;
}

/** The steps of a recorded, by number, and its root block. */
export function link(recorded: Recorded): { steps: readonly Step[]; root: PlanBlock } {
  const { nodes } = recorded;
  const names = nameSteps(recorded);
  const places = findPlaces(recorded);
  const tolerated = toleratedSteps(recorded);
  const consumed = consumedNodes(recorded);
  const steps: Step[] = [];

  function linkBlock(
    block: Block,
    { depth, repeated }: Pick<PlanBlock, 'depth' | 'repeated'>,
  ): PlanBlock {
    const linked = block.nodes.map((id, slot) => linkNode(id, { depth, slot, repeated }));
    const unused = block.nodes.filter((id) => !consumed.has(id) && hasEffect(nodes[id]));
    const waits = [...new Set([...nodesOf(sourcesOf(block.template)), ...unused])];
    return {
      depth,
      repeated,
      steps: linked,
      template: block.template,
      waits,
      gaps: gapsOf(nodes, waits),
    };
  }

  function linkNode(id: number, { depth, slot, repeated }: Position): Step {
    const node = known(nodes[id]);
    const inner = { depth: depth + 1, repeated: repeated || node.kind === 'each' };
    const step: Step = {
      depth,
      slot,
      id,
      node,
      name: names[id] ?? node.kind,
      needs: [...new Set(nodesOf(readsOf(node)))],
      tolerated: tolerated.get(id),
      block: 'block' in node ? linkBlock(node.block, inner) : undefined,
      places: places.get(id) ?? [],
    };
    steps[id] = step;
    return step;
  }

  const root = linkBlock(recorded.root, { depth: 0, repeated: false });
  return { steps, root };
}

/** All that `waits` come from, as far as something can be missing in it, in the order it was written. */
function gapsOf(nodes: readonly Node[], waits: readonly number[]): number[] {
  const sources = new Set(waits);
  // A set hands out what is added to it on the way.
  for (const id of sources) {
    const node = nodes[id];
    for (const read of node === undefined ? [] : nodesOf(readsOf(node))) sources.add(read);
  }
  const canBeIncomplete = new Set<string | undefined>(['guard', 'given', 'each']);
  return [...sources]
    .filter((id) => canBeIncomplete.has(nodes[id]?.kind))
    .toSorted((a, b) => a - b);
}

/** Steps whose every reader is a guard: nothing else fails with them. */
function toleratedSteps(recorded: Recorded): ReadonlyMap<number, 'optional' | 'fallback'> {
  const { nodes } = recorded;
  const bare = new Set(blocksOf(recorded).flatMap(({ template }) => nodesOf(sourcesOf(template))));
  for (const node of nodes)
    if (node.kind !== 'guard') for (const read of nodesOf(readsOf(node))) bare.add(read);
  const guards = nodes.filter((node) => node.kind === 'guard');
  return new Map(
    guards.filter(({ step }) => !bare.has(step)).map(({ step, mode }) => [step, mode]),
  );
}

/** What templates and steps read. What only an unused computation reads is as unused as that is. */
function consumedNodes(recorded: Recorded): ReadonlySet<number> {
  const { nodes } = recorded;
  const consumed = new Set(
    blocksOf(recorded).flatMap(({ template }) => nodesOf(sourcesOf(template))),
  );
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
