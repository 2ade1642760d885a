/** The parts of a request → what the plan's schemas make of them, or one error that lists every bad field. */
import type { z } from 'zod';
import { RequestError } from '../errors.ts';
import type { InvalidField } from '../errors.ts';
import type { InputName } from '../dsl/node.ts';
import type { Plan } from '../plan/plan.ts';
import { toPointer } from '../json.ts';
import { segmentProblem } from '../upstream/target.ts';

/** A request, taken apart but not yet checked. */
export interface RawInputs {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  header(name: string): string | undefined;
}

/** @throws RequestError of kind `invalid-request` with an entry for every bad field. */
export function parseInputs(plan: Plan, raw: RawInputs): Record<InputName, unknown> {
  const invalid: InvalidField[] = [];
  const inputs = {
    params: parseParams(plan, raw.params, invalid),
    query: parseQuery(plan, raw.query, invalid),
    headers: parseHeaders(plan, raw, invalid),
    body: plan.schemas.body && parsePart(plan.schemas.body, raw.body, { in: 'body', invalid }),
  };
  if (invalid.length === 0) return inputs;
  const names = invalid.map(({ in: part, pointer }) => `${part}${pointer}`).join(', ');
  throw new RequestError('invalid-request', `Cannot be served as it is: ${names}.`, invalid);
}

function parseParams(plan: Plan, params: RawInputs['params'], invalid: InvalidField[]): unknown {
  for (const [name, text] of Object.entries(params)) {
    const problem = segmentProblem(text);
    if (problem !== undefined) invalid.push({ in: 'path', pointer: `/${name}`, detail: problem });
  }
  const { params: schema } = plan.schemas;
  return schema === undefined || invalid.length > 0
    ? params
    : parsePart(schema, params, { in: 'path', invalid });
}

function parseQuery(plan: Plan, query: URLSearchParams, invalid: InvalidField[]): unknown {
  const schema = plan.schemas.query;
  const shape = shapeOf(schema);
  const values: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    const given = query.getAll(name);
    const problem = queryProblem(shape, name, given);
    if (problem === undefined) values[name] = isList(shape[name]) ? given : given[0];
    else invalid.push({ in: 'query', pointer: toPointer([name]), detail: problem });
  }
  return schema && parsePart(schema, values, { in: 'query', invalid });
}

function queryProblem(shape: Shape, name: string, given: readonly string[]): string | undefined {
  if (!Object.hasOwn(shape, name)) {
    return `is not known here. Known: ${Object.keys(shape).join(', ') || 'none'}`;
  }
  return given.length > 1 && !isList(shape[name]) ? 'is given more than once' : undefined;
}

function parseHeaders(plan: Plan, raw: RawInputs, invalid: InvalidField[]): unknown {
  const schema = plan.schemas.headers;
  if (schema === undefined) return undefined;
  const values = Object.fromEntries(
    Object.keys(shapeOf(schema)).map((name) => [name, raw.header(name)]),
  );
  return parsePart(schema, values, { in: 'header', invalid });
}

function parsePart(
  schema: z.ZodType,
  value: unknown,
  { in: part, invalid }: { in: InvalidField['in']; invalid: InvalidField[] },
): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const pointer = toPointer(issue.path);
    // A name that was refused already needs no second entry.
    if (invalid.some((known) => known.in === part && known.pointer === pointer)) continue;
    invalid.push({ in: part, pointer, detail: issue.message });
  }
  return undefined;
}

type Shape = Readonly<Record<string, z.ZodType>>;

function shapeOf(schema: z.ZodType | undefined): Shape {
  return schema !== undefined && 'shape' in schema ? (schema.shape as Shape) : {}; // query and headers are object schemas
}

function isList(schema: z.ZodType | undefined): boolean {
  let current: { def: { type: string; innerType?: unknown } } | undefined = schema;
  while (current?.def.innerType !== undefined) current = current.def.innerType as typeof current;
  return current?.def.type === 'array';
}
