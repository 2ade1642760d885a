/**
 * The parts of a request → inputs parsed by the plan's schemas, or one error that lists every
 * invalid field.
 */
import type { z } from 'zod';
import { RequestError } from '../errors.ts';
import type { InvalidField } from '../errors.ts';
import type { InputName } from '../dsl/node.ts';
import type { UnknownQuery } from '../dsl/composition.ts';
import type { Plan, QueryRule } from '../plan/plan.ts';
import { toPointer } from '../json.ts';
import { parseJsonBy } from '../parse.ts';
import { segmentProblem } from '../path-segment.ts';
import { textFormOf } from '../text-form.ts';
import type { TextForm } from '../text-form.ts';
import { noteBegun } from '../under-way.ts';
import { cookieProblem, isAscii, notAscii, readCookies } from './cookies.ts';
import { isNotUtf8, readQuery } from './query.ts';

/** The parts of a request before they are checked. */
export interface RawInputs {
  readonly params: Readonly<Record<string, string>>;
  /** As it was sent, without the question mark. */
  readonly query: string;
  readonly body: unknown;
  /** Parsed already; absent: the plan has no `auth`. */
  readonly identity?: unknown;
  header(name: string): string | undefined;
}

/** The most fields listed in one problem: nobody reads thousands of entries. */
const mostFields = 50;

export interface QueryOptions {
  /** The rule of compositions that have none of their own. */
  readonly unknownQuery: UnknownQuery;
}

/** The invalid fields of one request, each once. */
class InvalidFields {
  readonly #fields = new Map<string, InvalidField>();

  get isFull(): boolean {
    return this.#fields.size >= mostFields;
  }

  get isEmpty(): boolean {
    return this.#fields.size === 0;
  }

  add(part: InvalidField['in'], path: readonly PropertyKey[], detail: string): void {
    const pointer = toPointer(path);
    const name = `${part}${pointer}`;
    // A field that is listed already needs no second entry.
    if (!this.isFull && !this.#fields.has(name))
      this.#fields.set(name, { in: part, pointer, detail });
  }

  /** @throws RequestError when there are any. */
  refuse(): void {
    if (this.isEmpty) return;
    const some = this.isFull ? `, of which the first ${mostFields} are listed` : '';
    const detail = `The request has invalid fields${some}.`;
    throw new RequestError('invalid-request', detail, [...this.#fields.values()]);
  }
}

/**
 * @throws RequestError of kind `invalid-request` with an entry for every invalid field, up to 50.
 */
export type ParseInputs = (raw: RawInputs) => Record<InputName, unknown>;

export function inputParserFor(plan: Plan, { unknownQuery }: QueryOptions): ParseInputs {
  const { name: composition, schemas } = plan;
  const { params, query, headers, cookies, body } = schemas;
  const unknown = plan.unknownQuery ?? unknownQuery;
  const forms = new Map(
    Object.entries(query?.shape ?? {}).map(([name, field]) => [name, textFormOf(field)]),
  );
  const headerNames = Object.keys(headers?.shape ?? {});
  const cookieNames = new Set(Object.keys(cookies?.shape ?? {}));
  return function parseInputs(raw) {
    noteBegun(composition);
    const invalid = new InvalidFields();
    const inputs = {
      params: parseParams(params, raw.params, invalid),
      query: parseQuery({ schema: query, forms, unknown }, raw.query, invalid),
      headers:
        headers &&
        parsePart(headers, headersOf(raw, headerNames, invalid), { in: 'header', invalid }),
      cookies:
        cookies &&
        parsePart(cookies, cookiesOf(raw, cookieNames, invalid), { in: 'cookie', invalid }),
      body: body && parsePart(body, raw.body, { in: 'body', invalid }),
      identity: raw.identity,
    };
    invalid.refuse();
    return inputs;
  };
}

/**
 * @throws RequestError of kind `invalid-request` with an entry for every invalid field, up to 50.
 */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const invalid = new InvalidFields();
  const value = parsePart(schema, body, { in: 'body', invalid });
  invalid.refuse();
  return value as T; // `refuse` throws for anything else
}

function parseParams(
  schema: z.ZodType | undefined,
  params: RawInputs['params'],
  invalid: InvalidFields,
): unknown {
  for (const [name, text] of Object.entries(params)) {
    const problem = segmentProblem(text);
    if (problem !== undefined) invalid.add('path', [name], problem);
  }
  return schema === undefined || !invalid.isEmpty
    ? params
    : parsePart(schema, params, { in: 'path', invalid });
}

interface QueryFields {
  readonly schema: z.ZodType | undefined;
  /** By name, how the fields that the schema declares can arrive. */
  readonly forms: ReadonlyMap<string, TextForm>;
  /** The fate of others. */
  readonly unknown: NonNullable<QueryRule>;
}

/** The most parameters that a schema takes without naming them. */
const mostUnknown = 100;

function parseQuery(
  { schema, forms, unknown }: QueryFields,
  sent: string,
  invalid: InvalidFields,
): unknown {
  const query = readQuery(sent);
  const values: Record<string, unknown> = {};
  let others = 0;
  for (const name of new Set(query.keys())) {
    if (invalid.isFull) return undefined;
    if (unknown === 'ignore' && !forms.has(name)) continue;
    const form = forms.get(name) ?? (unknown === 'take' ? 'either' : undefined);
    if (!forms.has(name)) others += 1;
    if (others > mostUnknown) {
      invalid.add('query', [], `has more than ${mostUnknown} parameters that have no schema`);
      return undefined;
    }
    // Each look takes time for all that was sent.
    const given = form === undefined ? [] : query.getAll(name);
    const problem = queryProblem({ name, form, given }, forms) ?? notUtf8(given, sent);
    if (problem !== undefined) invalid.add('query', [name], problem);
    else values[name] = form === 'list' || given.length > 1 ? given : given[0];
  }
  return schema && parsePart(schema, values, { in: 'query', invalid });
}

interface QueryParameter {
  readonly name: string;
  readonly form: TextForm | undefined;
  readonly given: readonly string[];
}

function queryProblem(
  { name, form, given }: QueryParameter,
  forms: QueryFields['forms'],
): string | undefined {
  if (form === undefined) return `is unknown. Known: ${[...forms.keys()].join(', ') || 'none'}`;
  // Prototype pollution: a value of that name would be no field.
  if (name === '__proto__') return 'is not a valid name of a parameter';
  return form === 'text' && given.length > 1 ? 'is given more than once' : undefined;
}

function notUtf8(given: readonly string[], sent: string): string | undefined {
  const isBad = given.some((value) => isNotUtf8(value, sent));
  return isBad ? 'is not percent-encoded UTF-8' : undefined;
}

/** The headers of the schema; those that cannot be read are in `invalid`. */
function headersOf(
  raw: RawInputs,
  names: readonly string[],
  invalid: InvalidFields,
): Record<string, string | undefined> {
  const values = names.map((name) => [name, raw.header(name)] as const);
  for (const [name, value = ''] of values)
    if (!isAscii(value)) invalid.add('header', [name], notAscii);
  return Object.fromEntries(values);
}

/** The cookies of the schema; those that cannot be read are in `invalid`. */
function cookiesOf(
  raw: RawInputs,
  names: ReadonlySet<string>,
  invalid: InvalidFields,
): Record<string, string | undefined> {
  const found = readCookies(raw.header('cookie'), names);
  for (const [name, values] of found) {
    const problem = cookieProblem(values);
    if (problem !== undefined) invalid.add('cookie', [name], problem);
  }
  return Object.fromEntries([...names].map((name) => [name, found.get(name)?.[0]]));
}

function parsePart(
  schema: z.ZodType,
  value: unknown,
  { in: part, invalid }: { in: InvalidField['in']; invalid: InvalidFields },
): unknown {
  const result = parseJsonBy(schema, value);
  if (result.ok) return result.value;
  for (const { path, message, keys = [] } of result.problems) {
    if (invalid.isFull) break;
    // Zod reports all unknown fields of an object in one problem.
    for (const key of keys) invalid.add(part, [...path, key], 'is unknown');
    if (keys.length === 0) invalid.add(part, path, message);
  }
  return undefined;
}
