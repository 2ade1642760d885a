/** Checks what `compose` refers to: it is in scope, and a field that exists. */
import { z } from 'zod';
import type { AnyConfig } from '../dsl/composition.ts';
import type { Node, ShapeNode, Source } from '../dsl/node.ts';
import { blockOf, blockSources, readsOf, wordsFor } from '../dsl/node-traits.ts';
import type { Route } from '../dsl/route.ts';
import { CompositionError } from '../errors.ts';
import { fieldsOf, itemOf, ownField } from '../schema.ts';
import { authOf } from './auth.ts';
import type { Composed } from './run-compose.ts';
import { takesAny } from './unknown-query.ts';
import { schemaAtSource, schemaOf } from './value-schema.ts';
import { blocksOf, nodesOf } from './visit.ts';

/** Checks that every reference is in scope and points at a field that exists. */
export function checkSources(
  name: string,
  composed: Composed,
  config: AnyConfig,
  route: Route,
): void {
  const blocks = blocksOf(composed);
  for (const block of blocks) {
    const inReach = nodesInReach(composed, block.nodes);
    const reads = nodesOf(composed.nodes, block.nodes).flatMap(readsOf);
    for (const source of [...reads, ...blockSources(block)]) {
      if (!inReach.has(source.node)) {
        throw new CompositionError(
          name,
          `${wordsFor(composed.nodes[source.node])} was made inside given() or each() and is ` +
            'used outside it. Return it from the body and use the result.',
        );
      }
      checkSource(name, source, { composed, config, route });
    }
    for (const node of nodesOf(composed.nodes, block.nodes)) {
      if (node.kind === 'shape') checkKeys(name, composed.nodes, node);
    }
  }
}

/** The nodes in scope: those of a block and of all blocks around it. */
function nodesInReach(composed: Composed, own: readonly number[]): ReadonlySet<number> {
  const reach = new Set(own);
  for (let inner: readonly number[] | undefined = own; inner !== undefined;) {
    inner = outerOf(composed, inner);
    for (const id of inner ?? []) reach.add(id);
  }
  return reach;
}

function outerOf(
  { nodes, root }: Composed,
  inner: readonly number[],
): readonly number[] | undefined {
  const owner = nodes.findIndex((node) => blockOf(node)?.nodes === inner);
  if (owner === -1) return undefined;
  const blocks = blocksOf({ nodes, root });
  return blocks.find((block) => block.nodes.includes(owner))?.nodes;
}

interface Surroundings {
  readonly composed: Composed;
  readonly config: AnyConfig;
  readonly route: Route;
}

function checkSource(name: string, source: Source, around: Surroundings): void {
  const node = around.composed.nodes[source.node];
  if (node === undefined) return;
  if (node.kind === 'input' && node.input === 'identity')
    return checkIdentity(name, source.path, around.config);
  if (node.kind === 'input') return checkInput(name, node.input, source.path[0], around);
  checkPath(name, schemaOf(around.composed.nodes, node), { path: source.path, of: wordsFor(node) });
}

/** Checks that every field on a path exists, as far as the schema tells. */
function checkPath(
  name: string,
  schema: z.ZodType | undefined,
  { path, of }: { readonly path: readonly string[]; readonly of: string },
): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  const fields = schema && fieldsOf(schema);
  refuseUnknown(name, fields, { key, of });
  checkPath(name, ownField(fields, key), { path: rest, of: `${of}.${key}` });
}

/** Checks the fields that `pick` and `omit` name. */
function checkKeys(name: string, nodes: readonly Node[], { from, mode, keys }: ShapeNode): void {
  const value = schemaAtSource(nodes, from);
  const fields = value && fieldsOf(itemOf(value) ?? value);
  const of = `${mode}(): ${[wordsFor(nodes[from.node]), ...from.path].join('.')}`;
  for (const key of keys) refuseUnknown(name, fields, { key, of });
}

function refuseUnknown(
  name: string,
  fields: Readonly<Record<string, z.ZodType>> | undefined,
  { key, of }: { key: string; of: string },
): void {
  if (fields === undefined || Object.hasOwn(fields, key)) return;
  throw new CompositionError(
    name,
    `${of} has no field "${key}". It has: ${Object.keys(fields).join(', ')}.`,
  );
}

/** With several authenticators, each has to have the field. */
function checkIdentity(name: string, path: readonly string[], config: AnyConfig): void {
  const { authenticators = [] } = authOf(config) ?? {};
  if (authenticators.length === 0)
    throw new CompositionError(
      name,
      'identity is used, but the composition asks for none. Add auth.',
    );
  for (const { claims } of authenticators)
    checkPath(name, z.object({ claims }), { path, of: 'identity' });
}

function checkInput(
  name: string,
  input: string,
  field: string | undefined,
  { config, route }: Surroundings,
): void {
  const known: Record<string, readonly string[] | undefined> = {
    params: route.params,
    query: takesAny(config) ? undefined : namesOf(config.query),
    headers: namesOf(config.headers),
    cookies: namesOf(config.cookies),
    body: config.body && Object.keys(fieldsOf(config.body) ?? { [field ?? '']: true }),
  };
  const fields = known[input];
  if (input === 'body' && config.body === undefined) {
    throw new CompositionError(name, 'body is used, but not declared. Add a body schema.');
  }
  if (fields !== undefined && field !== undefined && !fields.includes(field)) {
    const nothing = input === 'params' ? 'nothing, as the route' : 'nothing; declare a schema';
    throw new CompositionError(
      name,
      `${input} has no "${field}". It has: ${fields.join(', ') || nothing}.`,
    );
  }
}

function namesOf(schema: AnyConfig['query']): readonly string[] {
  return Object.keys(schema?.shape ?? {});
}
