/** Bodies of requests and answers, as options of an operation. */
import { answerHeaders } from './answer-headers.ts';
import { bodyIn, codeOf, jsonIn } from './bodies.ts';
import type { KindOfBody } from './bodies.ts';
import { fields } from './code.ts';
import type { Code } from './code.ts';
import { child, children, isTrueAt } from './document.ts';
import type { Part } from './document.ts';
import { successesOf } from './endpoints.ts';
import type { Tools } from './tools.ts';
import { anyOf } from './unions.ts';
import { nullable, written } from './zod.ts';

/** A body as an option of an operation, or why there is none. */
export type Body = { readonly code: Code | undefined } | { readonly problem: string };

/** The JSON Schema of a JSON body; `undefined` for other bodies. */
export function jsonSchemaOf(content: Part | undefined, { document }: Tools): Part | undefined {
  const media = jsonIn(content, document);
  return media === undefined ? undefined : child(media, 'schema');
}

/** The JSON Schema of the only 2xx. */
export function jsonAnswerOf(operation: Part, tools: Tools): Part | undefined {
  const [only, ...others] = successesOf(operation, tools.document);
  return only === undefined || others.length > 0
    ? undefined
    : jsonSchemaOf(child(only, 'content'), tools);
}

/** The body of a request. */
export function requestBody(operation: Part, tools: Tools): Body {
  const declared = child(operation, 'requestBody');
  if (declared === undefined) return { code: undefined };
  const body = tools.document.follow(declared);
  const content = child(body, 'content');
  if (children(content).length === 0) return { code: undefined };
  const made = bodyIn(content, 'request', tools);
  if ('problem' in made) return { problem: `its body is ${typesIn(content)}${made.problem}` };
  return { code: written(codeOf(made), { isOptional: !isTrueAt(body, 'required') }) };
}

/** The response: the bodies of all 2xx that are described, or the headers of those without one. */
export function response(method: string, operation: Part, tools: Tools): Body {
  const responses = child(operation, 'responses');
  const statuses = successesOf(operation, tools.document);
  if (statuses.length === 0) {
    const redirect = children(responses).find(({ key }) => /^3\d\d$/.test(key));
    if (redirect !== undefined) return { problem: `it answers ${redirect.key}, and no 2xx` };
    if (responses !== undefined)
      tools.report.note(responses.pointer, 'describes no 2xx: the body of an answer is not read');
    return { code: 'ignoredBody' };
  }
  const contents = statuses.map((status) => child(status, 'content'));
  const described = contents.filter((content) => children(content).length > 0);
  if (method === 'HEAD' || described.length === 0)
    return { code: withoutBody(method, statuses, tools) };
  return responseOf(described, { isEmptyToo: described.length < contents.length }, tools);
}

/** Headers are all that an answer without a body says. */
function withoutBody(method: string, statuses: readonly Part[], tools: Tools): Code {
  const headers = answerHeaders(method, statuses, tools);
  return headers === undefined ? 'ignoredBody' : fields({ name: 'headers', value: headers });
}

function responseOf(
  described: readonly (Part | undefined)[],
  { isEmptyToo }: { readonly isEmptyToo: boolean },
  tools: Tools,
): Body {
  const known: KindOfBody[] = [];
  for (const content of described) {
    const body = bodyIn(content, 'response', tools);
    if ('problem' in body) return { problem: `it answers ${typesIn(content)}${body.problem}` };
    known.push(body);
  }
  const joined = oneOf(known);
  if (joined === undefined)
    return { problem: `it answers ${described.map(typesIn).join(' or ')}: a body has one kind` };
  const all = codeOf(joined);
  return { code: written(isEmptyToo ? nullable(all) : all, { isOptional: false }) };
}

/** Bodies of one kind as one; JSON of several types is asked for as `application/json`. */
function oneOf(known: readonly KindOfBody[]): KindOfBody | undefined {
  const [first] = known;
  if (first === undefined || known.some(({ kind }) => kind !== first.kind)) return undefined;
  const isOneType = known.every(({ type }) => type === first.type);
  const zod = anyOf(known.map((one) => one.zod));
  // Rows of two tables are no row.
  if (first.kind === 'csv' && zod.object === undefined) return undefined;
  return { kind: first.kind, type: isOneType ? first.type : undefined, zod };
}

function typesIn(content: Part | undefined): string {
  return children(content)
    .map(({ key }) => key)
    .join(', ');
}
