/** Where in the response the value of a guard lands: what to point at when it had to step in. */
import type { Block, Template } from '../dsl/node.ts';
import type { Drawing } from './draw.ts';
import type { Place } from './plan.ts';

interface Landing {
  readonly place: Place;
  /** The value goes there as it is, not through a computation. */
  readonly direct: boolean;
  readonly depth: number;
}

/** The places of every guard: the direct ones, or else those computed from it. */
export function findPlaces({ nodes, root }: Drawing): ReadonlyMap<number, readonly Place[]> {
  const landings = new Map<number, Landing[]>();

  function visitTemplate(template: Template, landing: Landing): void {
    const within = (part: string): Landing => ({ ...landing, place: [...landing.place, part] });
    if (template.kind === 'object')
      for (const [key, part] of template.entries) visitTemplate(part, within(key));
    if (template.kind === 'array') {
      for (const [index, part] of template.items.entries())
        visitTemplate(part, within(String(index)));
    }
    if (template.kind === 'reference') visitNode(template.source.node, landing);
  }

  function visitNode(id: number, landing: Landing): void {
    const node = nodes[id];
    if (node === undefined) return;
    if (node.kind === 'guard') {
      landings.set(id, [...(landings.get(id) ?? []), landing]);
      visitNode(node.step, landing);
    }
    if (node.kind === 'shape') visitNode(node.from.node, landing);
    if (node.kind === 'map') visitComputed(node.inputs, landing);
    if (node.kind === 'given') visitInner(node.block, landing);
    if (node.kind === 'each') visitItems(node.block, landing);
  }

  /** What a map reads lands where the map's result does, however deep its inputs are nested. */
  function visitComputed(inputs: Template, landing: Landing): void {
    const computed = { ...landing, direct: false };
    if (inputs.kind === 'object')
      for (const [, part] of inputs.entries) visitComputed(part, computed);
    if (inputs.kind === 'array') for (const part of inputs.items) visitComputed(part, computed);
    if (inputs.kind === 'reference') visitNode(inputs.source.node, computed);
  }

  function visitInner(block: Block, landing: Landing): void {
    visitTemplate(block.template, { ...landing, depth: landing.depth + 1 });
  }

  function visitItems(block: Block, landing: Landing): void {
    const depth = landing.depth + 1;
    // Behind a computation the items are no longer where they were.
    const place = landing.direct ? [...landing.place, depth] : landing.place;
    visitTemplate(block.template, { ...landing, place, depth });
  }

  visitTemplate(root.template, { place: [], direct: true, depth: 0 });
  return new Map([...landings].map(([id, found]) => [id, preferDirect(found)]));
}

function preferDirect(landings: readonly Landing[]): readonly Place[] {
  const direct = landings.filter((landing) => landing.direct);
  return (direct.length > 0 ? direct : landings).map((landing) => landing.place);
}
