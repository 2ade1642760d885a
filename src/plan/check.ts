/** What the compiler of TypeScript would say too, said at load: for files that were not type-checked, and for what types cannot express. */
import type { z } from 'zod';
import type { AnyConfig } from '../dsl/composition.ts';
import type { Node, Source, Template } from '../dsl/node.ts';
import type { Route } from '../dsl/route.ts';
import { isSafe } from '../dsl/route.ts';
import { positive } from '../dsl/service.ts';
import { CompositionError } from '../errors.ts';
import type { Drawing } from './draw.ts';
import { fieldsOf, itemOf, kindOf, mayBeAbsent, mayBeNull } from './schema.ts';
import { readsOf, sourcesOf } from './visit.ts';

/** Headers that carry credentials: they are forwarded, or not, by `forward`; no argument is made of them. */
const secretHeaders = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Checks everything about the configuration but `compose`. */
export function checkConfig(name: string, config: AnyConfig, route: Route): void {
  if (config.deadlineMs !== undefined) positive(config.deadlineMs, 'deadlineMs', name);
  if (config.body !== undefined && isSafe(route.method)) {
    throw new CompositionError(
      name,
      `a ${route.method} has no body. Use query, or another method.`,
    );
  }
  checkParams(name, config, route);
  for (const header of Object.keys(config.headers?.shape ?? {})) {
    if (header !== header.toLowerCase()) {
      throw new CompositionError(
        name,
        `headers: write "${header}" in lower case, as "${header.toLowerCase()}".`,
      );
    }
    if (secretHeaders.has(header)) {
      throw new CompositionError(
        name,
        `headers: "${header}" carries credentials and cannot be an argument. List it in the service's forward.`,
      );
    }
  }
}

function checkParams(name: string, config: AnyConfig, route: Route): void {
  if (config.params === undefined) return;
  const declared = Object.keys(config.params.shape);
  const missing = route.params.find((param) => !declared.includes(param));
  const surplus = declared.find((param) => !route.params.includes(param));
  if (missing !== undefined)
    throw new CompositionError(name, `params lacks "${missing}", which is in the route.`);
  if (surplus !== undefined)
    throw new CompositionError(
      name,
      `params has "${surplus}", which is not in the route ${route.path}.`,
    );
}

/** Checks that every reference is within reach and points at something that exists. */
export function checkSources(
  name: string,
  drawing: Drawing,
  config: AnyConfig,
  route: Route,
): void {
  const blocks = [
    drawing.root,
    ...drawing.nodes.flatMap((node) => ('block' in node ? [node.block] : [])),
  ];
  for (const block of blocks) {
    const inReach = nodesInReach(drawing, block.nodes);
    const reads = block.nodes.flatMap((id) => readsOf(drawing.nodes[id] ?? { kind: 'item' }));
    for (const source of [...reads, ...sourcesOf(block.template)]) {
      if (!inReach.has(source.node)) {
        throw new CompositionError(
          name,
          'a reference made inside given() or each() is used outside of it. Return it from the body and use the result.',
        );
      }
      checkSource(name, source, { drawing, config, route });
    }
  }
}

/** The nodes of a block and of all blocks around it. */
function nodesInReach(drawing: Drawing, own: readonly number[]): ReadonlySet<number> {
  const reach = new Set(own);
  for (let inner: readonly number[] | undefined = own; inner !== undefined;) {
    inner = outerOf(drawing, inner);
    for (const id of inner ?? []) reach.add(id);
  }
  return reach;
}

function outerOf(
  { nodes, root }: Drawing,
  inner: readonly number[],
): readonly number[] | undefined {
  const owner = nodes.findIndex((node) => 'block' in node && node.block.nodes === inner);
  if (owner === -1) return undefined;
  const blocks = [root, ...nodes.flatMap((node) => ('block' in node ? [node.block] : []))];
  return blocks.find((block) => block.nodes.includes(owner))?.nodes;
}

interface Surroundings {
  readonly drawing: Drawing;
  readonly config: AnyConfig;
  readonly route: Route;
}

function checkSource(name: string, source: Source, around: Surroundings): void {
  const node = around.drawing.nodes[source.node];
  if (node === undefined) return;
  if (node.kind === 'input') return checkInput(name, node.input, source.path[0], around);
  let schema = schemaOf(around.drawing.nodes, node);
  const walked: string[] = [];
  for (const key of source.path) {
    const fields = schema && fieldsOf(schema);
    if (fields !== undefined && !(key in fields)) {
      const where = [wordsFor(node), ...walked].join('.');
      throw new CompositionError(
        name,
        `${where} has no field "${key}". It has: ${Object.keys(fields).join(', ')}.`,
      );
    }
    schema = fields?.[key];
    walked.push(key);
  }
}

function checkInput(
  name: string,
  input: string,
  field: string | undefined,
  { config, route }: Surroundings,
): void {
  const known: Record<string, readonly string[] | undefined> = {
    params: route.params,
    query: Object.keys(config.query?.shape ?? {}),
    headers: Object.keys(config.headers?.shape ?? {}),
  };
  const fields = known[input];
  if (input === 'body' && config.body === undefined) {
    throw new CompositionError(name, 'body is used, but not declared. Add a body schema.');
  }
  if (fields !== undefined && field !== undefined && !fields.includes(field)) {
    throw new CompositionError(
      name,
      `${input} has no "${field}". It has: ${fields.join(', ') || 'nothing; declare a schema'}.`,
    );
  }
}

function wordsFor(node: Node): string {
  return node.kind === 'call'
    ? `the result of ${node.operation.name}`
    : `the result of ${node.kind}()`;
}

/** The schema of a node's value, where it is known. */
function schemaOf(nodes: readonly Node[], node: Node): z.ZodType | undefined {
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
  return undefined;
}

/**
 * Compares the template with a declared `response`: what is missing, and what is certain not to fit.
 * What a `map` computes is only known when it runs; the response is parsed then.
 */
export function checkResponse(
  name: string,
  drawing: Drawing,
  response: z.ZodType | undefined,
): void {
  if (response !== undefined)
    checkPart(drawing, drawing.root.template, response, { name, place: 'response' });
}

interface Where {
  readonly name: string;
  readonly place: string;
}

function checkPart(drawing: Drawing, template: Template, wanted: z.ZodType, where: Where): void {
  switch (template.kind) {
    case 'literal':
      return checkLiteral(template.value, wanted, where);
    case 'reference':
      return checkReference(drawing, template.source, wanted, where);
    case 'array': {
      if (isCertainlyNot(wanted, 'array')) misfit(where, 'a list', wanted);
      const item = itemOf(wanted);
      if (item)
        for (const [index, part] of template.items.entries())
          checkPart(drawing, part, item, at(where, index));
      return;
    }
    case 'object': {
      if (isCertainlyNot(wanted, 'object')) misfit(where, 'an object', wanted);
      const fields = fieldsOf(wanted);
      if (fields) checkFields(drawing, template.entries, fields, where);
      return;
    }
    default:
      template satisfies never;
  }
}

function checkFields(
  drawing: Drawing,
  entries: readonly (readonly [string, Template])[],
  fields: Readonly<Record<string, z.ZodType>>,
  where: Where,
): void {
  const written = new Map(entries);
  for (const [key, wanted] of Object.entries(fields)) {
    const part = written.get(key);
    if (part !== undefined) checkPart(drawing, part, wanted, at(where, key));
    else if (!mayBeAbsent(wanted)) {
      throw new CompositionError(
        where.name,
        `${where.place} lacks "${key}", which the response schema requires. compose() returned: ${[...written.keys()].join(', ')}.`,
      );
    }
  }
}

function checkLiteral(value: unknown, wanted: z.ZodType, where: Where): void {
  const parsed = wanted.safeParse(value);
  if (!parsed.success) misfit(where, JSON.stringify(value), wanted);
}

function checkReference(drawing: Drawing, source: Source, wanted: z.ZodType, where: Where): void {
  const node = drawing.nodes[source.node];
  let given = node && schemaOf(drawing.nodes, node);
  let absent = given !== undefined && mayBeNull(given);
  for (const key of source.path) {
    given = given && fieldsOf(given)?.[key];
    absent ||= given !== undefined && mayBeNull(given);
  }
  if (given === undefined) return;
  if (absent && !wanted.safeParse(null).success)
    misfit(where, 'something that may be null', wanted);
  const kind = kindOf(given);
  if (kind !== undefined && isCertainlyNot(wanted, kind)) misfit(where, `a ${kind}`, wanted);
}

function isCertainlyNot(wanted: z.ZodType, kind: string): boolean {
  const known = kindOf(wanted);
  return known !== undefined && known !== kind;
}

function at({ name, place }: Where, part: string | number): Where {
  return { name, place: `${place}.${part}` };
}

function misfit({ name, place }: Where, found: string, wanted: z.ZodType): never {
  throw new CompositionError(
    name,
    `${place} is ${found}, but the response schema wants ${kindOf(wanted) ?? 'something else'} there.`,
  );
}
