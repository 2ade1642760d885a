/** Parameters of operations: of the path, of the query, and headers. */
import { unsendableReason } from '../dsl/forward.ts';
import { isHeaderName } from '../headers.ts';
import type { Field } from './code.ts';
import { child, children, isTrueAt, textAt } from './document.ts';
import type { Document, Part } from './document.ts';
import type { Tools } from './tools.ts';
import { camelCase } from './names.ts';
import { isComposite, partsOf, typesOf } from './keywords.ts';
import { written } from './zod.ts';

export interface Parameter {
  readonly part: Part;
  readonly name: string;
  readonly in: string;
  readonly isRequired: boolean;
  readonly schema: Part | undefined;
}

/** The parameters of an operation and of its path; those of the operation stand. */
export function parametersOf(
  path: Part,
  operation: Part,
  { follow }: Document,
): readonly Parameter[] {
  const found = new Map<string, Parameter>();
  for (const declared of [path, operation].flatMap((part) => children(child(part, 'parameters')))) {
    const part = follow(declared);
    const name = textAt(part, 'name') ?? '';
    const place = textAt(part, 'in') ?? '';
    const isRequired = isTrueAt(part, 'required');
    const schema = child(part, 'schema');
    found.set(`${place} ${name}`, { part, name, in: place, isRequired, schema });
  }
  return [...found.values()];
}

/** `/orders/{order-id}` → `/orders/:orderId`, and the names of its parameters. */
export function toPath(template: string): { readonly path: string; readonly names: string[] } {
  const names: string[] = [];
  const path = template.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
    const own = /^[A-Za-z_]\w*$/.test(name) ? name : camelCase(name);
    names.push(own);
    return `:${own}`;
  });
  return { path, names };
}

/** A parameter as a field of `query` or `headers`, or why it cannot be one. */
export type FieldOrProblem = { readonly field: Field } | { readonly problem: string };

/** Headers that are not parameters (OpenAPI 3.1, Parameter Object). */
const described = new Set(['accept', 'content-type', 'authorization']);

/** A header; `undefined` for one that something else sends. */
export function headerField(parameter: Parameter, tools: Tools): FieldOrProblem | undefined {
  const name = parameter.name.toLowerCase();
  if (described.has(name)) return undefined;
  const reason = isHeaderName(name) ? unsendableReason(name) : 'it is not a valid header name';
  if (reason !== undefined) return { problem: reason };
  if (name === 'x-request-id') return { problem: 'the gateway sends one of its own' };
  const { schema } = parameter;
  if (schema === undefined || shapeOf(schema, tools.document) !== 'text')
    return { problem: 'its value is not a text' };
  const bare = { ...tools.schemas.of(schema, 'request'), isNullable: false };
  return { field: { name, value: written(bare, { isOptional: !parameter.isRequired }) } };
}

/** The form that a value has in a URL; `mixed` may be a text or a list. */
export type Shape = 'text' | 'list' | 'mixed' | 'object';

export function shapeOf(schema: Part, document: Document, around: readonly string[] = []): Shape {
  const part = document.follow(schema);
  const within = [...around, part.pointer];
  const inner = ['allOf', 'oneOf', 'anyOf']
    .flatMap((key) => children(child(part, key)))
    .filter((member) => !within.includes(document.follow(member).pointer))
    .map((member) => shapeOf(member, document, within));
  const types = typesOf(part);
  if (types.includes('object') || inner.includes('object')) return 'object';
  if (inner.includes('list')) return inner.every((one) => one === 'list') ? 'list' : 'mixed';
  if (!types.includes('array')) return 'text';
  if (types.length > 1) return 'mixed';
  const items = child(part, 'items');
  if (items === undefined) return 'list';
  const isNested = within.includes(document.follow(items).pointer);
  return isNested || shapeOf(items, document, within) !== 'text' ? 'object' : 'list';
}

/** The kinds of values that a schema allows, `null` left out. */
export function kindsOf(schema: Part, document: Document): readonly string[] {
  const all = partsOf(schema, document).filter(
    (part) => !isComposite(part) || child(part, 'type') !== undefined,
  );
  return [...new Set(all.flatMap(typesOf))];
}
