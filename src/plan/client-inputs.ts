/** Finds the arguments of a call that come straight from the client's request. */
import type { z } from 'zod';
import type { Block, CallNode, InputName, Node, Source, Template } from '../dsl/node.ts';
import { sourcesOf } from '../dsl/node-traits.ts';
import type { ClientInput, RequestPart } from './plan.ts';
import { ownerOf } from './visit.ts';

/** The nodes of a composition, and how many blocks are around each block. */
export interface Surroundings {
  readonly nodes: readonly Node[];
  readonly depths: ReadonlyMap<Block, number>;
}

/** The schemas of the parts of the request. */
type InputSchemas = Readonly<Record<InputName, z.ZodType | undefined>>;

type Shapes = ClientInput['shapes'];

/** A node's value, or a part of it, like a `Source`; the path may have holes. */
interface Part {
  readonly node: number;
  readonly path: ClientInput['path'];
  readonly shapes?: Shapes | undefined;
}

export function clientInputsOf(
  around: Surroundings,
  { args, operation }: CallNode,
  schemas: InputSchemas,
): readonly ClientInput[] {
  if (args.kind !== 'object') return [];
  return args.entries
    .flatMap(([argument, template]) =>
      argument === 'headers' && operation.headers !== undefined
        ? headerArguments(template, operation.headers.names)
        : [[argument, template] as const],
    )
    .flatMap(([argument, template]) =>
      placesIn(template).flatMap(({ at, source }) => {
        const found = inputBehind(around, source);
        if (found === undefined) return [];
        const { input, path, shapes } = found;
        return [{ argument, at, input, path, shapes, schema: schemas[input] }];
      }),
    );
}

/** The sources in a template, and where they are in it. */
function placesIn(
  template: Template,
  at: readonly string[] = [],
): { readonly at: readonly string[]; readonly source: Source }[] {
  switch (template.kind) {
    case 'literal':
      return [];
    case 'reference':
      return [{ at, source: template.source }];
    case 'object':
      return template.entries.flatMap(([key, part]) => placesIn(part, [...at, key]));
    case 'array':
      return template.items.flatMap((part, index) => placesIn(part, [...at, String(index)]));
    default:
      return template satisfies never;
  }
}

/** The parts of the request that are values in a template. */
export function inputsIn(around: Surroundings, template: Template): readonly RequestPart[] {
  return sourcesOf(template).flatMap((source) => inputOf(around, source) ?? []);
}

/** The part of the request that a value is. */
export function inputOf(around: Surroundings, source: Source): RequestPart | undefined {
  const found = inputBehind(around, source);
  return found && { input: found.input, path: found.path };
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
function inputBehind(
  around: Surroundings,
  { node: id, path, shapes = [] }: Part,
): (RequestPart & { readonly shapes: Shapes }) | undefined {
  const node = around.nodes[id];
  switch (node?.kind) {
    case 'input':
      return { input: node.input, path, shapes };
    case 'shape': {
      const { from, mode, keys } = node;
      // A path into the value has been checked against what is kept.
      const isWhole = path.every((part) => typeof part === 'number');
      const all = isWhole ? [...shapes, { mode, keys }] : shapes;
      return inputBehind(around, { node: from.node, path: [...from.path, ...path], shapes: all });
    }
    case 'item':
      return inputBehindItem(around, { node: id, path, shapes });
    default:
      return undefined;
  }
}

function inputBehindItem(around: Surroundings, { node: id, path, shapes }: Part) {
  const owner = ownerOf(around.nodes, id);
  if (owner === undefined || owner.kind === 'instead') return undefined;
  const { node, path: outer } = owner.kind === 'given' ? owner.on : owner.over;
  const hole = owner.kind === 'given' ? [] : [around.depths.get(owner.block) ?? 0];
  return inputBehind(around, { node, path: [...outer, ...hole, ...path], shapes });
}
