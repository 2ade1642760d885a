/** Where in the response the value of a guard lands: what to point at when it had to step in. */
import type { Block, Template } from '../dsl/node.ts';
import type { Drawing } from './draw.ts';
import type { Place } from './plan.ts';
import { readsOf } from './visit.ts';

interface Landing {
  readonly place: Place;
  /** The value goes there as it is, not through a computation. */
  readonly direct: boolean;
  readonly depth: number;
}

/** The places of every guard: the direct ones, or else those of what was made from it. */
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
    if (node.kind === 'guard') landings.set(id, [...(landings.get(id) ?? []), landing]);
    const passesOn = node.kind === 'guard' || node.kind === 'shape';
    const reads = new Set(readsOf(node).map((source) => source.node));
    for (const read of reads) visitNode(read, passesOn ? landing : { ...landing, direct: false });
    if (node.kind === 'given') visitInner(node.block, landing);
    if (node.kind === 'each') visitItems(node.block, landing);
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
  const places = (direct.length > 0 ? direct : landings).map((landing) => landing.place);
  // A map that reads two fields of it lands in one place.
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}
