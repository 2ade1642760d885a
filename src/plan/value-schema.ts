/** The schemas of the values of steps, as far as operations declare them. */
import { z } from 'zod';
import { resultSchema } from '../dsl/lookup-result.ts';
import type { Node, Source } from '../dsl/node.ts';
import type { Operation } from '../dsl/operation.ts';
import type { PagesRule } from '../dsl/pages-rule.ts';
import { itemOf, schemaAt, unwrapped } from '../schema.ts';
import { ownerOf } from './visit.ts';

/** The schema of a node's value, if it is known. */
export function schemaOf(nodes: readonly Node[], node: Node): z.ZodType | undefined {
  switch (node.kind) {
    case 'call':
      return node.pages === undefined
        ? schemaOfResult(node.operation)
        : schemaOfPages(node.operation, node.pages);
    case 'guard': {
      const guarded = node.mode === 'optional' ? nodes[node.guarded] : undefined;
      return guarded && schemaOf(nodes, guarded)?.nullable();
    }
    case 'item':
      return schemaOfItem(nodes, node);
    case 'input':
    case 'map':
    case 'shape':
    case 'instead':
    case 'given':
    case 'each':
      return undefined;
    default:
      return node satisfies never;
  }
}

function schemaOfResult({ lookup, response, missing }: Operation): z.ZodType {
  if (lookup !== undefined) return resultSchema(lookup, response);
  return missing === 'null' ? response.nullable() : response;
}

/** A list of the items that pages have, if the schema of these is known. */
function schemaOfPages({ response }: Operation, { items }: PagesRule): z.ZodType | undefined {
  const list = schemaAt(response, items?.names ?? []);
  const item = list && itemOf(list);
  return item && z.array(item);
}

function schemaOfItem(nodes: readonly Node[], item: Node): z.ZodType | undefined {
  const owner = ownerOf(nodes, nodes.indexOf(item));
  if (owner?.kind === 'each') {
    const list = schemaAtSource(nodes, owner.over);
    return list && itemOf(list);
  }
  if (owner?.kind === 'instead') return failureSchema;
  const present = owner?.kind === 'given' ? schemaAtSource(nodes, owner.on) : undefined;
  return present && unwrapped(present);
}

const failureSchema = z.object({ kind: z.string(), status: z.number().nullable() });

/** The schema of the value that a source points at, if it is known. */
export function schemaAtSource(nodes: readonly Node[], source: Source): z.ZodType | undefined {
  const node = nodes[source.node];
  const schema = node && schemaOf(nodes, node);
  return schema && schemaAt(schema, source.path);
}
