/** The response paths of guards and second sources: where their values land, for `$problems`. */
import type { Block, Node, ShapeNode, Source, Template } from '../dsl/node.ts';
import { readsOf } from '../dsl/node-traits.ts';
import type { Composed } from './run-compose.ts';
import type { ResponsePath } from './plan.ts';
import { depthsOf, idsInside } from './visit.ts';

/** A value on its way into the response. */
interface Landing {
  /** The path at which it lands. */
  readonly at: ResponsePath;
  /** The blocks whose indexes are the holes of that path, outermost first. */
  readonly lists: readonly Block[];
  /** Whether it gets there unchanged, not through a computation. */
  readonly direct: boolean;
  /** The path within it that is read, outermost field first. */
  readonly path: readonly string[];
  /** The `pick`s and `omit`s that it passes through. */
  readonly shapes: readonly ShapeNode[];
}

/** The paths of every guard: those of its own value, or else of the values computed from it. */
export function findResponsePaths(
  composed: Composed,
): ReadonlyMap<number, readonly ResponsePath[]> {
  const { nodes, root } = composed;
  const depths = depthsOf(composed);
  const landings = new Map<number, Landing[]>();
  const seen = new Set<string>();

  function visitTemplate(template: Template, landing: Landing): void {
    switch (template.kind) {
      case 'literal':
        return;
      case 'reference':
        return visitSource(template.source, landing);
      case 'object':
        for (const [key, part] of template.entries) visitPart(key, part, landing);
        return;
      case 'array':
        for (const [index, part] of template.items.entries())
          visitPart(String(index), part, landing);
        return;
      default:
        template satisfies never;
    }
  }

  /**
   * One field of an object. If a path leads into the object, only that field goes on, and lands
   * where the object would.
   */
  function visitPart(key: string, part: Template, landing: Landing): void {
    const [next, ...path] = landing.path;
    if (next === undefined && landing.shapes.every((shape) => keeps(shape, key))) {
      visitTemplate(part, { ...landing, at: [...landing.at, key], shapes: [] });
    }
    if (next === key) visitTemplate(part, { ...landing, path, shapes: [] });
  }

  function visitSource({ node: id, path }: Source, landing: Landing): void {
    const node = nodes[id];
    if (node !== undefined) visitNode(id, node, { ...landing, path: [...path, ...landing.path] });
  }

  function visitNode(id: number, node: Node, landing: Landing): void {
    // Without this, nodes that read each other in many ways would be visited once for each way.
    const visit = JSON.stringify([id, landing.at, landing.direct, landing.path, landing.shapes]);
    if (seen.has(visit)) return;
    seen.add(visit);
    switch (node.kind) {
      case 'guard':
        landings.set(id, [...(landings.get(id) ?? []), endedAround(nodes, id, landing)]);
        return visitSource({ node: node.guarded, path: [] }, landing);
      case 'instead':
        landings.set(id, [...(landings.get(id) ?? []), endedAround(nodes, id, landing)]);
        visitSource({ node: node.guarded, path: [] }, landing);
        return visitTemplate(node.block.template, landing);
      case 'shape':
        return visitSource(node.from, shapedBy(node, landing));
      case 'given':
        visitInputs(node, landing);
        return visitTemplate(node.block.template, landing);
      case 'each':
        visitInputs(node, landing);
        return visitItems(node.block, landing);
      case 'input':
      case 'item':
      case 'call':
      case 'map':
        return visitInputs(node, landing);
      default:
        node satisfies never;
    }
  }

  /** The inputs of a computation land where its value does, but not unchanged. */
  function visitInputs(node: Node, landing: Landing): void {
    const computed = { ...landing, direct: false, path: [], shapes: [] };
    for (const source of readsOf(node)) visitSource({ ...source, path: [] }, computed);
  }

  /** After a computation, items may be at other indexes. */
  function visitItems(block: Block, landing: Landing): void {
    if (!landing.direct) return visitTemplate(block.template, landing);
    const at = [...landing.at, depths.get(block) ?? 0];
    visitTemplate(block.template, { ...landing, at, lists: [...landing.lists, block] });
  }

  visitTemplate(root.template, { at: [], lists: [], direct: true, path: [], shapes: [] });
  return new Map([...landings].map(([id, found]) => [id, preferDirect(found)]));
}

/**
 * Ends the path of a guard at the first list that the guard is outside of: its value is the same
 * in all of the items there, and has no index in that list.
 */
function endedAround(nodes: readonly Node[], guard: number, landing: Landing): Landing {
  const outside = landing.lists.findIndex((block) => !idsInside(nodes, block).includes(guard));
  if (outside === -1) return landing;
  const holes = landing.at.flatMap((part, index) => (typeof part === 'number' ? [index] : []));
  return { ...landing, at: landing.at.slice(0, holes[outside]) };
}

/** A path that leads into the value has passed `pick` and `omit`: they shape the whole only. */
function shapedBy(node: ShapeNode, landing: Landing): Landing {
  return landing.path.length > 0 ? landing : { ...landing, shapes: [...landing.shapes, node] };
}

function keeps({ mode, keys }: ShapeNode, key: string): boolean {
  return keys.includes(key) === (mode === 'pick');
}

function preferDirect(landings: readonly Landing[]): readonly ResponsePath[] {
  const direct = landings.filter((landing) => landing.direct);
  const paths = (direct.length > 0 ? direct : landings).map(({ at }) => at);
  // A map that reads two fields of a value makes it land at one path twice.
  return [...new Map(paths.map((path) => [JSON.stringify(path), path])).values()];
}
