/** Endpoints → `operation()` and `lookup()`. */
import { parseRoute } from '../dsl/route.ts';
import { CompositionError } from '../errors.ts';
import { fields, invoke, quoted } from './code.ts';
import { print } from './print.ts';
import type { Field } from './code.ts';
import { docComment, firstSentence } from './comment.ts';
import { child, textAt } from './document.ts';
import type { Endpoint } from './endpoints.ts';
import { lookupOf } from './lookups.ts';
import { requestBody, response } from './media.ts';
import type { Tools } from './tools.ts';
import { pascalCase } from './names.ts';
import type { Names } from './names.ts';
import { headerField, parametersOf, toPath } from './parameters.ts';
import type { FieldOrProblem, Parameter } from './parameters.ts';
import { queryField, styleOf, toStyleOption } from './query.ts';
import type { Style } from './query.ts';
import type { Credentials, Security } from './security.ts';
import { suggestionsFor } from './suggestions.ts';
import { zod } from './code.ts';

export interface OperationOptions extends Tools {
  readonly names: Names;
  /** The constant that has the service. */
  readonly service: string;
  /** The credentials of the service: headers and parameters that they send are no arguments. */
  readonly credentials: Credentials | undefined;
  readonly sharedStyle: Style;
}

export interface Declared {
  readonly name: string;
  readonly kind: 'operation' | 'lookup';
  readonly text: string;
}

/** Why an endpoint cannot be called. */
class Unwritable {
  readonly pointer: string;
  readonly detail: string;

  constructor(pointer: string, detail: string) {
    this.pointer = pointer;
    this.detail = detail;
  }
}

/** The declarations of an endpoint; none if it cannot be called, which the report says. */
export function declarationsOf(
  endpoint: Endpoint,
  security: Security,
  options: OperationOptions,
): readonly Declared[] {
  try {
    return declare(endpoint, security, options);
  } catch (problem) {
    if (!(problem instanceof Unwritable)) throw problem;
    const what = `${endpoint.method} ${endpoint.path} is left out`;
    options.report.note(problem.pointer, `${what}: ${problem.detail}`);
    return [];
  }
}

function declare(
  endpoint: Endpoint,
  security: Security,
  options: OperationOptions,
): readonly Declared[] {
  const { operation, pathItem } = endpoint;
  const all = parametersOf(pathItem, operation, options.document);
  const parameters = all.filter((one) => !isOfCredentials(one, options.credentials));
  const route = routeOf(endpoint);
  const auth = authOf(endpoint, security, options);
  const headers = headersOf(parameters, options);
  const found = lookupOf(endpoint, parameters, options);
  const declared: Declared[] = [];
  const name = options.names.take(endpoint.wantedName);
  if (found === undefined || found.isAlsoList) {
    const body = bodyOf(endpoint, options);
    const answer = responseOf(endpoint, options);
    const taken = [...route.names, 'body', 'headers'];
    const query = queryOf(parameters, options, { taken, isLookup: false });
    const parts = [...query, ...headers, ...body, ...answer, ...auth];
    declared.push(written('operation', name, endpoint, { route, parts, options }));
  }
  if (found !== undefined) {
    const { by } = found;
    const own = found.isAlsoList ? options.names.take(`${name}By${pascalCase(by)}`) : name;
    const others = parameters.filter((one) => !found.replaced.includes(one));
    const taken = [...route.names, by, 'body', 'headers'];
    const query = queryOf(others, options, { taken, isLookup: true });
    const parts = [...found.options, ...query, ...headers, ...auth];
    declared.push(written('lookup', own, endpoint, { route, parts, options }));
  }
  for (const one of found?.isAlsoList === false
    ? []
    : suggestionsFor(endpoint, parameters, options))
    options.report.suggest(one, name);
  return declared;
}

interface Contents {
  readonly route: { readonly text: string };
  readonly parts: readonly Field[];
  readonly options: OperationOptions;
}

function written(
  kind: Declared['kind'],
  name: string,
  { operation }: Endpoint,
  { route, parts, options }: Contents,
): Declared {
  const all = fields(
    { name: 'name', value: quoted(name) },
    { name: 'route', value: quoted(route.text) },
    ...parts,
  );
  const summary = textAt(operation, 'summary') ?? textAt(operation, 'description') ?? '';
  const comment = firstSentence(summary);
  const head = `export const ${name} = `;
  const code = print(invoke(kind, options.service, all), 0, head.length);
  const text = `${comment === '' ? '' : `${docComment(comment)}\n`}${head}${code};`;
  return { name, kind, text };
}

function routeOf({ method, path, operation }: Endpoint): { text: string; names: string[] } {
  const { path: own, names } = toPath(path);
  const text = `${method} ${own}`;
  try {
    parseRoute(text, 'route', { head: true });
  } catch (error) {
    if (!(error instanceof CompositionError)) throw error;
    throw new Unwritable(operation.pointer, error.message);
  }
  return { text, names };
}

function authOf(
  { operation }: Endpoint,
  security: Security,
  { credentials, report }: OperationOptions,
): readonly Field[] {
  const isAuth = credentials?.options.some(({ name }) => name === 'auth') ?? false;
  if (security === 'none') return isAuth ? [{ name: 'auth', value: 'false' }] : [];
  const { alternatives, problems } = security;
  for (const { pointer, detail } of alternatives.length === 0 ? problems : [])
    report.note(pointer, detail);
  if (credentials === undefined || alternatives.some(({ id }) => id === credentials.id)) return [];
  const pointer = child(operation, 'security')?.pointer ?? operation.pointer;
  const asked = alternatives.map(({ id }) => id).join(' or ') || 'others';
  report.note(
    pointer,
    `is sent ${credentials.id}, as the rest of the service, and asks for ${asked}`,
  );
  return [];
}

function bodyOf(endpoint: Endpoint, options: OperationOptions): readonly Field[] {
  const { operation, method } = endpoint;
  const isBodiless = method === 'GET' || method === 'HEAD';
  const declared = child(operation, 'requestBody');
  if (declared !== undefined && isBodiless) {
    if (child(options.document.follow(declared), 'required')?.value === true)
      throw new Unwritable(declared.pointer, `a ${method} has no body`);
    options.report.note(declared.pointer, `a ${method} has no body: it is not sent`);
    return [];
  }
  const body = requestBody(operation, options);
  if ('problem' in body) throw new Unwritable(declared?.pointer ?? operation.pointer, body.problem);
  return body.code === undefined ? [] : [{ name: 'body', value: body.code }];
}

function responseOf({ operation, method }: Endpoint, options: OperationOptions): readonly Field[] {
  const answer = response(method, operation, options);
  const pointer = child(operation, 'responses')?.pointer ?? operation.pointer;
  if ('problem' in answer) throw new Unwritable(pointer, answer.problem);
  return answer.code === undefined ? [] : [{ name: 'response', value: answer.code }];
}

interface QueryPlace {
  /** The names of other arguments. */
  readonly taken: readonly string[];
  readonly isLookup: boolean;
}

function queryOf(
  parameters: readonly Parameter[],
  options: OperationOptions,
  { taken, isLookup }: QueryPlace,
): readonly Field[] {
  const all = parameters.filter((one) => one.in === 'query');
  const free = all.filter((one) => !taken.includes(one.name));
  const style = styleOf(free, { document: options.document, isLookup, taken });
  const own = all.flatMap((one) => {
    if (free.includes(one)) return kept(one, queryField(one, style, options), options);
    return kept(one, { problem: 'its name is that of another argument' }, options);
  });
  if (own.length === 0) return [];
  return [
    { name: 'query', value: zod('object', fields(...own)) },
    ...toStyleOption(style, options.sharedStyle),
  ];
}

function headersOf(parameters: readonly Parameter[], options: OperationOptions): readonly Field[] {
  for (const one of parameters.filter(({ in: place }) => place === 'cookie'))
    kept(
      one,
      { problem: "only forward: ['cookie'] sends cookies, and those of the client" },
      options,
    );
  const own = parameters
    .filter((one) => one.in === 'header')
    .flatMap((one) => {
      const field = headerField(one, options);
      return field === undefined ? [] : kept(one, field, options);
    });
  return own.length === 0 ? [] : [{ name: 'headers', value: zod('object', fields(...own)) }];
}

/** The field; a parameter that cannot be one is left out, or the endpoint if it needs it. */
function kept(
  { part, name, isRequired }: Parameter,
  made: FieldOrProblem,
  { report }: OperationOptions,
): readonly Field[] {
  if ('field' in made) return [made.field];
  if (isRequired) throw new Unwritable(part.pointer, `parameter "${name}": ${made.problem}`);
  report.note(part.pointer, `parameter "${name}" is left out: ${made.problem}`);
  return [];
}

/** Whether the service sends the parameter with every request. */
function isOfCredentials({ name, in: place }: Parameter, credentials?: Credentials): boolean {
  const texts = credentials?.options.map(({ value }) => print(value)) ?? [];
  if (place === 'header')
    return texts.some((text) => text.includes(`header: ${quoted(name.toLowerCase())}`));
  return place === 'query' && texts.some((text) => text.includes(`query: ${quoted(name)}`));
}
