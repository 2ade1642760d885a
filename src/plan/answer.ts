/** Checks the status and headers that `answer` was given, as far as start-up knows them. */
import type { AnyConfig } from '../dsl/composition.ts';
import { headerNameProblem } from '../dsl/header-names.ts';
import type { Node, Source, Template } from '../dsl/node.ts';
import { sourcesOf } from '../dsl/node-traits.ts';
import { operationName } from '../dsl/operation.ts';
import { setsCookies } from '../dsl/response-parts.ts';
import { isCookieField } from '../cookie.ts';
import { CompositionError } from '../errors.ts';
import { kindOf } from '../schema.ts';
import { withArticle } from '../shown-value.ts';
import { UnsendableError, checkStatus, linesOf } from './answer-values.ts';
import { inputsIn } from './client-inputs.ts';
import type { PlanAnswer } from './plan.ts';
import type { Composed } from './run-compose.ts';
import { isOfBytes } from './whole-bytes.ts';
import { schemaAtSource } from './value-schema.ts';
import { depthsOf } from './visit.ts';

/** @throws CompositionError for a status, a header or a cookie that can never be sent. */
export function checkAnswer(
  name: string,
  composed: Composed,
  { cache }: Pick<AnyConfig, 'cache'>,
): void {
  const { answer, root } = composed;
  const { template } = root;
  if (cache !== undefined) refuseCookies(name, composed);
  if (answer === undefined) return;
  const { status, headers } = answer;
  const isJson = !isOfBytes(composed);
  for (const [header, value] of headers)
    checkHeader({ name, header, nodes: composed.nodes, isJson }, value);
  if (status.kind === 'reference') return checkStatusReference(name, composed, status.source);
  const given = status.kind === 'literal' ? status.value : {};
  const isNamed = (wanted: string) => headers.some(([header]) => header === wanted);
  sendable(name, () => checkStatus(given, isNamed));
  if (given === 204 && !(template.kind === 'literal' && template.value === null))
    throw new CompositionError(
      name,
      'answer(): a 204 has no body. Return answer(null, { status: 204 }).',
    );
}

function checkStatusReference(name: string, { nodes }: Composed, source: Source): void {
  const kind = kindAt(nodes, source);
  if (kind === undefined || kind === 'number') return;
  throw new CompositionError(
    name,
    `answer(): status is ${withArticle(kind)}, not a number. Compute one: map(order, (o) => …).`,
  );
}

/** The kind of a value that a source points at, as far as its schema says. */
function kindAt(nodes: readonly Node[], source: Source): string | undefined {
  const schema = schemaAtSource(nodes, source);
  return schema && kindOf(schema);
}

/** Rejects cookies in a cached response, and answers that are for one client since they set one. */
function refuseCookies(name: string, { nodes, answer }: Composed): void {
  if (answer?.headers.some(([header]) => header === 'set-cookie') === true)
    throw new CompositionError(
      name,
      'a response that sets a cookie is never cached. Remove cache, or the cookie.',
    );
  const personal = nodes.find((node) => node.kind === 'call' && setsCookies(node.operation.parts));
  if (personal?.kind !== 'call') return;
  throw new CompositionError(
    name,
    `${operationName(personal.operation)} sets cookies, so that its answers are for one client: ` +
      'a response with them is never cached. Remove cache.',
  );
}

/** Headers that belong to the gateway or to the connection. */
const decided: readonly (readonly [RegExp, string])[] = [
  [/^(?:connection|keep-alive|te|trailer|upgrade|transfer-encoding)$/, 'the connection'],
  [/^(?:content-length|content-encoding|date|server-timing|x-request-id)$/, 'the gateway'],
  [/^(?:vary|x-content-type-options|strict-transport-security)$/, 'the gateway'],
  [/^(?:access-control-.*|plait-.*|proxy-.*)$/, 'the gateway'],
];

interface Place {
  readonly name: string;
  readonly header: string;
  readonly nodes: readonly Node[];
  /** Whether the body is JSON, and not bytes. */
  readonly isJson: boolean;
}

function checkHeader(place: Place, value: Template): void {
  const { name, header, isJson } = place;
  const problem = headerNameProblem(header) ?? decidedProblem(header);
  if (problem !== undefined)
    throw new CompositionError(name, `answer(): header "${header}" ${problem}`);
  if (isJson) checkContentType(name, header, value);
  for (const part of value.kind === 'array' ? value.items : [value]) checkPart(place, part);
}

/** Checks one text or cookie as far as it is known. */
function checkPart({ name, header, nodes }: Place, part: Template): void {
  const isCookie = header === 'set-cookie';
  if (part.kind === 'literal') return sendable(name, () => linesOf(header, part.value));
  if (part.kind === 'object' && isCookie)
    return sendable(name, () => linesOf(header, knownCookie(part.entries)));
  const kind = part.kind === 'reference' ? kindAt(nodes, part.source) : part.kind;
  if (kind !== 'object' && kind !== 'boolean') return;
  throw new CompositionError(
    name,
    `answer(): headers.${header} is ${withArticle(kind)}. Give a text: a field of it, or map().`,
  );
}

/** A cookie with its literal fields; those that are references stand for what can be sent. */
function knownCookie(
  entries: Extract<Template, { kind: 'object' }>['entries'],
): Readonly<Record<string, unknown>> {
  const known = entries.flatMap(([field, part]) => {
    if (part.kind === 'literal') return [[field, part.value]];
    if (field === 'name' || field === 'value') return [[field, field]];
    return isCookieField(field) ? [] : [[field, field]];
  });
  return Object.fromEntries(known);
}

function decidedProblem(header: string): string | undefined {
  if (['cache-control', 'expires', 'pragma', 'age'].includes(header))
    return 'is set by the gateway. Use cache of the composition.';
  const found = decided.find(([pattern]) => pattern.test(header));
  return found && `is set by ${found[1]}. Remove it.`;
}

/** A template is JSON whatever the header says. */
function checkContentType(name: string, header: string, value: Template): void {
  if (header !== 'content-type') return;
  const text = value.kind === 'literal' && String(value.value);
  if (text !== false && /^application\/(?:json|[\w.!#$&^-]+\+json)(?:;.*)?$/i.test(text)) return;
  throw new CompositionError(
    name,
    'answer(): headers.content-type is not a type of JSON, which the body is. Write one, as in ' +
      '"application/hal+json".',
  );
}

function sendable(name: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof UnsendableError)) throw error;
    throw new CompositionError(name, `answer(): ${error.message}.`, { cause: error });
  }
}

/** Adds the parts of the request that headers are made of: a mistake in them is the client's. */
export function linkAnswer(composed: Composed): PlanAnswer | undefined {
  const { nodes, answer } = composed;
  if (answer === undefined) return undefined;
  const around = { nodes, depths: depthsOf(composed) };
  return {
    status: answer.status,
    headers: answer.headers.map(([name, value]) => {
      const inputs = inputsIn(around, value);
      const isOfClient = inputs.length > 0 && inputs.length === sourcesOf(value).length;
      return { name, value, input: isOfClient ? inputs[0] : undefined };
    }),
  };
}
