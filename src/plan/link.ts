/** Nodes → steps: adds the frame, slot and needs of each, and the effect of its failure. */
import type { Block, InputName, Node } from '../dsl/node.ts';
import { blockSources, readsOf, traitsOf } from '../dsl/node-traits.ts';
import { credentialHeaders } from '../headers.ts';
import { clientInputsOf, inputOf } from './client-inputs.ts';
import { createConcealment } from './concealment.ts';
import { degradedBy, doomsIn, sheddableSteps, toleratedSteps } from './failures.ts';
import { lookupArgumentsOf } from './lookup-arguments.ts';
import { firstGuarded, nameSteps } from './names.ts';
import { staysTogether } from './pace.ts';
import { findResponsePaths } from './response-paths.ts';
import type { PlanBlock, Schemas, Step } from './plan.ts';
import type { Composed } from './run-compose.ts';
import { blocksOf, depthsOf, idsOf } from './visit.ts';
import { boundedSteps } from './within.ts';

/** How a block is run. */
interface Runner {
  /** Whether it is the block of an `each`. */
  readonly byEach: boolean;
  /** Whether it is inside the block of an `each`. */
  readonly repeated: boolean;
}

/** The parts of a composition that describe its request. */
interface Declared {
  /** The cookies that say who the client is. */
  readonly credentials: readonly string[];
  readonly schemas: Pick<Schemas, InputName>;
}

/** The steps of a composition, by number, and its root block. */
export function link(
  composed: Composed,
  { credentials, schemas }: Declared,
): { steps: readonly Step[]; root: PlanBlock } {
  const { nodes } = composed;
  const names = nameSteps(composed);
  const paths = findResponsePaths(composed);
  const depths = depthsOf(composed);
  const tolerated = toleratedSteps(composed);
  const sheddable = sheddableSteps(composed);
  const bounded = boundedSteps(composed);
  const consumed = consumedNodes(composed);
  const conceals = createConcealment(nodes, {
    cookies: credentials,
    headers: Object.keys(schemas.headers?.shape ?? {}).filter((name) =>
      credentialHeaders.has(name),
    ),
  });
  const steps: Step[] = [];

  function linkBlock(block: Block, runner: Runner): PlanBlock {
    const depth = depths.get(block) ?? 0;
    const needs = needsOf(block);
    const dooms = doomsIn(nodes, block, needs);
    const linked = block.nodes.map((id, slot) => {
      const node = known(nodes[id]);
      return linkNode(
        node,
        { block, ...runner },
        {
          id,
          name: names[id] ?? node.kind,
          needs: idsOf(readsOf(node)),
          depth,
          slot,
          tolerated: tolerated.get(id),
          mayBeShed: sheddable.has(id),
          limitMs: bounded.get(id),
          dooms: dooms.get(id) ?? 'perhaps',
        },
      );
    });
    for (const step of linked) steps[step.id] = step;
    return {
      depth,
      repeated: runner.repeated || runner.byEach,
      together: staysTogether(nodes, block),
      steps: linked,
      template: block.template,
      needs,
      degradedBy: degradedBy(nodes, needs),
    };
  }

  function linkNode(node: Node, around: Runner & { readonly block: Block }, facts: Facts): Step {
    const repeated = around.repeated || around.byEach;
    switch (node.kind) {
      case 'input':
      case 'item':
      case 'map':
      case 'shape':
        return { ...facts, ...node };
      case 'call': {
        const items = new Set(around.byEach ? around.block.nodes : []);
        return {
          ...facts,
          ...node,
          lookup: lookupArgumentsOf(node, items),
          clientInputs: clientInputsOf({ nodes, depths }, node, schemas),
          conceals: conceals(node),
        };
      }
      case 'guard':
        return { ...facts, ...node, paths: paths.get(facts.id) ?? [] };
      case 'instead':
        return {
          ...facts,
          ...node,
          first: names[firstGuarded(nodes, node.guarded)] ?? facts.name,
          paths: paths.get(facts.id) ?? [],
          block: linkBlock(node.block, { byEach: false, repeated }),
        };
      case 'given':
        return { ...facts, ...node, block: linkBlock(node.block, { byEach: false, repeated }) };
      case 'each':
        return {
          ...facts,
          ...node,
          clientList: inputOf({ nodes, depths }, node.over),
          block: linkBlock(node.block, { byEach: true, repeated }),
        };
      default:
        return node satisfies never;
    }
  }

  /** The nodes that its template refers to, and those that run for their effect. */
  function needsOf(block: Block): number[] {
    const unused = block.nodes.filter((id) => !consumed.has(id) && hasEffect(nodes[id]));
    return [...new Set([...idsOf(blockSources(block)), ...unused])];
  }

  const root = linkBlock(composed.root, { byEach: false, repeated: false });
  return { steps, root };
}

/** The facts that steps of all kinds have. */
type Facts = Pick<
  Step,
  'id' | 'name' | 'needs' | 'depth' | 'slot' | 'tolerated' | 'mayBeShed' | 'limitMs' | 'dooms'
>;

/**
 * The nodes that templates or used nodes read. A node that only an unused `map` reads is unused.
 */
function consumedNodes(composed: Composed): ReadonlySet<number> {
  const { nodes } = composed;
  const consumed = new Set(blocksOf(composed).flatMap((block) => idsOf(blockSources(block))));
  // A node reads earlier nodes only, so in reverse order its readers come first.
  for (const [id, node] of [...nodes.entries()].toReversed()) {
    if (consumed.has(id) || hasEffect(node))
      for (const read of idsOf(readsOf(node))) consumed.add(read);
  }
  return consumed;
}

function hasEffect(node: Node | undefined): boolean {
  return node !== undefined && traitsOf(node).hasEffect;
}

function known(node: Node | undefined): Node {
  if (node === undefined) throw new Error('a block lists a node that does not exist');
  return node;
}
