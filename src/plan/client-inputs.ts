/** Finds the arguments of a call that come straight from the client's request. */
import type { Block, CallNode, Node, Template } from '../dsl/node.ts';
import { sourcesOf } from '../dsl/node-traits.ts';
import type { ClientInput, RequestPart } from './plan.ts';
import { ownerOf } from './visit.ts';

/** The nodes of a composition, and how many blocks are around each block. */
export interface Surroundings {
  readonly nodes: readonly Node[];
  readonly depths: ReadonlyMap<Block, number>;
}

/** A node's value, or a part of it, like a `Source`; the path may have holes. */
interface Part {
  readonly node: number;
  readonly path: ClientInput['path'];
}

export function clientInputsOf(
  around: Surroundings,
  { args, operation }: CallNode,
): readonly ClientInput[] {
  if (args.kind !== 'object') return [];
  return args.entries
    .flatMap(([argument, template]) =>
      argument === 'headers' && operation.headers !== undefined
        ? headerArguments(template, operation.headers.names)
        : [[argument, template] as const],
    )
    .flatMap(([argument, template]) =>
      inputsIn(around, template).map((input) => ({ argument, ...input })),
    );
}

/** The parts of the request that are values in a template. */
export function inputsIn(around: Surroundings, template: Template): readonly RequestPart[] {
  return sourcesOf(template).flatMap((source) => inputBehind(around, source) ?? []);
}

/** Each header of the argument `headers` by itself: a mistake in one is not that of another. */
function headerArguments(
  template: Template,
  names: readonly string[],
): (readonly [argument: string, template: Template])[] {
  if (template.kind === 'object')
    return template.entries.map(([name, part]) => [`headers.${name}`, part]);
  if (template.kind !== 'reference') return [];
  const { node, path } = template.source;
  return names.map((name) => [
    `headers.${name}`,
    { kind: 'reference', source: { node, path: [...path, name] } },
  ]);
}

/** The part of the request that a value is, after no more than `pick`, `omit`, `given`, `each`. */
function inputBehind(around: Surroundings, { node: id, path }: Part): RequestPart | undefined {
  const node = around.nodes[id];
  switch (node?.kind) {
    case 'input':
      return { input: node.input, path };
    case 'shape':
      return inputBehind(around, { node: node.from.node, path: [...node.from.path, ...path] });
    case 'item':
      return inputBehindItem(around, { node: id, path });
    default:
      return undefined;
  }
}

function inputBehindItem(around: Surroundings, { node: id, path }: Part) {
  const owner = ownerOf(around.nodes, id);
  if (owner === undefined || owner.kind === 'instead') return undefined;
  const { node, path: outer } = owner.kind === 'given' ? owner.on : owner.over;
  const hole = owner.kind === 'given' ? [] : [around.depths.get(owner.block) ?? 0];
  return inputBehind(around, { node, path: [...outer, ...hole, ...path] });
}
