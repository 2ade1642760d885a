/** What is known at load about the values of steps, from the schemas of the operations. */
import type { z } from 'zod';
import type { Node, Source } from '../dsl/node.ts';
import { itemOf, schemaAt, unwrapped } from '../schema.ts';

/** The schema of a node's value, where it is known. */
export function schemaOf(nodes: readonly Node[], node: Node): z.ZodType | undefined {
  if (node.kind === 'call') {
    const { lookup, response } = node.operation;
    if (lookup === undefined) return response;
    if (lookup.many) return response.array();
    return lookup.missing === 'null' ? response.nullable() : response;
  }
  if (node.kind === 'guard' && node.mode === 'optional') {
    const step = nodes[node.step];
    return step && schemaOf(nodes, step)?.nullable();
  }
  return node.kind === 'item' ? schemaOfItem(nodes, node) : undefined;
}

function schemaOfItem(nodes: readonly Node[], item: Node): z.ZodType | undefined {
  const owner = nodes.find((node) => 'block' in node && nodes[node.item] === item);
  if (owner?.kind === 'each') {
    const list = schemaAtSource(nodes, owner.over);
    return list && itemOf(list);
  }
  const present = owner?.kind === 'given' ? schemaAtSource(nodes, owner.on) : undefined;
  return present && unwrapped(present);
}

/** The schema of what a source points at, where it is known. */
export function schemaAtSource(nodes: readonly Node[], source: Source): z.ZodType | undefined {
  const node = nodes[source.node];
  const schema = node && schemaOf(nodes, node);
  return schema && schemaAt(schema, source.path);
}
