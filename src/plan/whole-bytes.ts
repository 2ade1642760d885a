/** `bytes()`: they are a whole response or a body of a call, and never a part of JSON. */
import { bodyKindOf, hasBytes } from '../dsl/body-kind.ts';
import type { CallNode, Node, Source, Template } from '../dsl/node.ts';
import { blockOf, sourcesOf } from '../dsl/node-traits.ts';
import type { Operation } from '../dsl/operation.ts';
import { CompositionError } from '../errors.ts';
import type { Composed } from './run-compose.ts';
import { schemaAtSource } from './value-schema.ts';

/** @throws CompositionError for bytes in a template, or in arguments that do not take them. */
export function checkBytes(name: string, { nodes, root }: Composed): void {
  const inner = nodes.flatMap((node) => blockOf(node)?.template ?? []);
  const isMixed = [root.template, ...inner].some((one) => inTemplate(nodes, one) === 'inside');
  if (isMixed || nodes.some((node) => isListOfBytes(nodes, node)))
    throw new CompositionError(name, 'bytes cannot be a part of JSON. Return them alone.');
  for (const node of nodes) {
    if (node.kind !== 'call') continue;
    const argument = wrongArgument(nodes, node);
    if (argument === undefined) continue;
    throw new CompositionError(
      name,
      `argument "${argument}" of call(${node.operation.name}) cannot be bytes. Only a body of ` +
        'bytes() or multipart() takes them.',
    );
  }
}

/** Whether the response of a composition is bytes. */
export function isOfBytes({ nodes, root }: Pick<Composed, 'nodes' | 'root'>): boolean {
  return inTemplate(nodes, root.template) === 'whole';
}

/** Whether a value is bytes, or an object or list with bytes inside, as far as schemas say. */
type Presence = 'whole' | 'inside' | 'none';

function inTemplate(nodes: readonly Node[], template: Template): Presence {
  if (template.kind === 'reference') return atSource(nodes, template.source);
  return insideIf(sourcesOf(template).some((source) => atSource(nodes, source) !== 'none'));
}

function atSource(nodes: readonly Node[], source: Source): Presence {
  const schema = schemaAtSource(nodes, source);
  if (schema === undefined) return ofNode(nodes, nodes[source.node], source.path);
  return bodyKindOf(schema).kind === 'bytes' ? 'whole' : insideIf(hasBytes(schema));
}

/** Of a node whose schema is not known. */
function ofNode(nodes: readonly Node[], node: Node | undefined, path: Source['path']): Presence {
  switch (node?.kind) {
    case undefined:
    case 'input':
    case 'item':
    case 'call':
    case 'map':
      return 'none';
    case 'guard':
      return atSource(nodes, { node: node.guarded, path });
    case 'instead':
      return either(
        atSource(nodes, { node: node.guarded, path }),
        inTemplate(nodes, node.block.template),
      );
    case 'given':
      return inTemplate(nodes, node.block.template);
    case 'each':
      return insideIf(isListOfBytes(nodes, node));
    case 'shape':
      return atSource(nodes, { ...node.from, path: [...node.from.path, ...path] });
    default:
      return node satisfies never;
  }
}

function isListOfBytes(nodes: readonly Node[], node: Node): boolean {
  return node.kind === 'each' && inTemplate(nodes, node.block.template) !== 'none';
}

function insideIf(isInside: boolean): Presence {
  return isInside ? 'inside' : 'none';
}

function either(one: Presence, other: Presence): Presence {
  return one === 'none' ? other : one;
}

function wrongArgument(nodes: readonly Node[], { args, operation }: CallNode): string | undefined {
  if (args.kind !== 'object') return undefined;
  const wrong = args.entries.find(([name, value]) => {
    const found = inTemplate(nodes, value);
    return found !== 'none' && !(name === 'body' && takes(operation, found));
  });
  return wrong?.[0];
}

/** Whether a body may be bytes, or have some as parts. */
function takes({ bodyKind: { kind } }: Operation, found: Presence): boolean {
  return found === 'whole' ? kind === 'bytes' : kind === 'multipart';
}
