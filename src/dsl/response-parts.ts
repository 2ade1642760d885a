/** `response: { body, headers, status }`: the parts of an answer that are an operation's value. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { declaredFields, itemOf } from '../schema.ts';
import { bodyKindOf, refuseKinds } from './body-kind.ts';
import type { BodyKindName } from './body-kind.ts';
import { refuseUnreadableFields, refuseUnreadableXml } from './body-kinds.ts';
import { ignoredBody } from './ignored-body.ts';
import { refuseUnknownKnobs, unknownOption } from './knobs.ts';
import { shownValue } from '../shown-value.ts';
import { headerNameProblem, headerTextProblem } from './header-names.ts';

/** The parts of an answer, each by its schema. At least one is declared. */
export interface Parts {
  readonly body?: z.ZodType;
  /** By their lower-case names, from text; `set-cookie` is a list. Only these can be read. */
  readonly headers?: z.ZodObject;
  /** The status has to fit, so `z.literal([200, 202])` is also a statement. */
  readonly status?: z.ZodType<number>;
}

/** The type of a call's result: that of the body, or an object of the declared parts. */
export type ResultOf<Response> = Response extends z.ZodType
  ? z.output<Response>
  : {
      -readonly [Part in keyof Response]: Response[Part] extends z.ZodType
        ? z.output<Response[Part]>
        : never;
    };

/** The parts that a value is made of. */
export interface ResponseParts {
  /** The schema of the body; `ignoredBody` if it is no part. */
  readonly body: z.ZodType;
  readonly hasBody: boolean;
  /** The names of the headers; absent if headers are no part. */
  readonly headers: readonly string[] | undefined;
  /** The schema of the status; absent if it is no part. */
  readonly status: z.ZodType | undefined;
}

/** The schema of a call's result, and its parts if the result is not the body. */
export interface CheckedResponse {
  readonly response: z.ZodType;
  readonly parts: ResponseParts | undefined;
}

/** @throws CompositionError for parts that do not exist or that no answer can fit. */
export function checkedResponse(response: z.ZodType | Parts, place: string): CheckedResponse {
  if (response instanceof z.ZodType) {
    checkBody('response', response, place);
    return { response, parts: undefined };
  }
  refuseNoParts(response, place);
  refuseUnknownKnobs(response, partNames, place, 'response');
  const { body, headers, status } = response;
  const declared = Object.entries({ body, headers, status }).flatMap(([part, schema]) =>
    schema === undefined ? [] : [[part, checkedSchema(schema, part, place)] as const],
  );
  if (declared.length === 0)
    throw new CompositionError(place, 'response has no part. Declare body, headers or status.');
  if (body !== undefined) checkBody('response.body', body, place);
  const parts = {
    body: body ?? ignoredBody,
    hasBody: body !== undefined,
    headers: headers && checkedHeaders(headers, place),
    status,
  };
  if (status !== undefined) refuseImpossibleStatus(status, place);
  return { response: z.object(Object.fromEntries(declared)), parts };
}

const partNames = ['body', 'headers', 'status'];

/** Rejects an object without any part: it was probably meant as the schema of the body. */
function refuseNoParts(response: unknown, place: string): void {
  if (typeof response !== 'object' || response === null) {
    const words = `response is ${shownValue(response)}. Use a schema, as z.object({ … }).`;
    throw new CompositionError(place, words);
  }
  const [first, ...others] = Object.keys(response);
  if (first === undefined || [first, ...others].some((name) => partNames.includes(name))) return;
  const problem = unknownOption(first, partNames, 'response');
  throw new CompositionError(place, `${problem} The schema of an object is z.object({ … }).`);
}

/** The kinds of an answer's body. */
const readKinds: readonly BodyKindName[] = ['json', 'form', 'text', 'csv', 'bytes', 'xml'];

function checkBody(option: string, body: z.ZodType, place: string): void {
  refuseKinds(option, body, { kinds: readKinds, place });
  const { kind } = bodyKindOf(body);
  if (kind === 'xml') refuseUnreadableXml(option, body, place);
  const named = kind === 'form' ? body : kind === 'csv' ? itemOf(body, 'in') : undefined;
  refuseUnreadableFields(option, declaredFields(named, 'in'), { isForm: kind === 'form', place });
}

/** Whether the answers of an operation set cookies, so that each is for one client. */
export function setsCookies(parts: ResponseParts | undefined): boolean {
  return parts?.headers?.includes('set-cookie') === true;
}

/** An answer to HEAD has no body (RFC 9110, 9.3.2). */
export function refuseBodyOfHead(method: string, answer: CheckedResponse, place: string): void {
  const { response, parts } = answer;
  const hasBody = parts === undefined ? response !== ignoredBody : parts.hasBody;
  if (method !== 'HEAD' || !hasBody) return;
  throw new CompositionError(
    place,
    'the answer to a HEAD has no body. Use response: { headers, status }, or ignoredBody.',
  );
}

/** Whether it sees that its work has only been accepted: a 202 that says where to ask for more. */
export function seesAccepted(parts: ResponseParts | undefined): boolean {
  return parts?.status !== undefined || parts?.headers?.includes('location') === true;
}

function checkedSchema(schema: unknown, part: string, place: string): z.ZodType {
  if (schema instanceof z.ZodType) return schema;
  throw new CompositionError(place, `response.${part} is not a schema. Use zod, as in z.string().`);
}

function checkedHeaders(schema: z.ZodObject, place: string): readonly string[] {
  if (!(schema instanceof z.ZodObject)) {
    const advice = 'Use z.object(), as in z.object({ etag: z.string() }).';
    throw new CompositionError(place, `response.headers is not an object of headers. ${advice}`);
  }
  for (const [name, field] of Object.entries(schema.shape)) {
    const problem =
      headerNameProblem(name) ?? headerTextProblem(field, { isList: name === 'set-cookie' });
    if (problem !== undefined)
      throw new CompositionError(place, `response header "${name}" ${problem}`);
  }
  return Object.freeze(Object.keys(schema.shape));
}

function refuseImpossibleStatus(schema: z.ZodType, place: string): void {
  const statuses = Array.from({ length: 100 }, (_, index) => 200 + index);
  if (statuses.some((status) => schema.safeParse(status).success)) return;
  throw new CompositionError(
    place,
    'response.status fits no success, which is 200 to 299. Use z.int(), or z.literal([200, 202]).',
  );
}
