/** Finds the arguments of a call that come straight from the client's request. */
import type { CallNode, Node, Source } from '../dsl/node.ts';
import { sourcesOf } from '../dsl/node-traits.ts';
import type { ClientInput } from './plan.ts';
import { ownerOf } from './visit.ts';

export function clientInputsOf(nodes: readonly Node[], { args }: CallNode): readonly ClientInput[] {
  if (args.kind !== 'object') return [];
  return args.entries.flatMap(([argument, template]) =>
    sourcesOf(template).flatMap((source) => {
      const input = inputBehind(nodes, source);
      return input === undefined ? [] : [{ argument, ...input }];
    }),
  );
}

/** The part of the request that a value is, after no more than `pick`, `omit`, `given`, `each`. */
function inputBehind(
  nodes: readonly Node[],
  { node: id, path }: Source,
): Omit<ClientInput, 'argument'> | undefined {
  const node = nodes[id];
  switch (node?.kind) {
    case 'input':
      return { input: node.input, path };
    case 'shape':
      return inputBehind(nodes, { node: node.from.node, path: [...node.from.path, ...path] });
    case 'item':
      return inputBehindItem(nodes, { node: id, path });
    default:
      return undefined;
  }
}

function inputBehindItem(nodes: readonly Node[], { node: id, path }: Source) {
  const owner = ownerOf(nodes, id);
  if (owner?.kind === 'given')
    return inputBehind(nodes, { node: owner.on.node, path: [...owner.on.path, ...path] });
  // Without the index in the list, which differs from one call to the next.
  return owner?.kind === 'each' ? inputBehind(nodes, owner.over) : undefined;
}
