/** Bodies of requests and answers: the media type that is used, and its schema. */
import { invoke, quoted } from './code.ts';
import type { Chain, Code } from './code.ts';
import { child, children, isTrueAt } from './document.ts';
import type { Document, Part } from './document.ts';
import type { Report } from './report.ts';
import { anyOf } from './unions.ts';
import type { Direction, Schemas } from './schemas.ts';
import { nullable, plain, unknown, written } from './zod.ts';
import type { Zod } from './zod.ts';

/** The document and its schemas, for writing the parts of operations. */
export interface Tools {
  readonly document: Document;
  readonly schemas: Schemas;
  readonly report: Report;
}

/** A body as an option of an operation, or why there is none. */
export type Body = { readonly code: Code | undefined } | { readonly problem: string };

/** The JSON Schema of a JSON body; `undefined` for other bodies. */
export function jsonSchemaOf(content: Part | undefined): Part | undefined {
  const media = jsonOf(content);
  return media === undefined ? undefined : child(media, 'schema');
}

/** The body of a request. */
export function requestBody(operation: Part, tools: Tools): Body {
  const declared = child(operation, 'requestBody');
  if (declared === undefined) return { code: undefined };
  const body = tools.document.follow(declared);
  const content = child(body, 'content');
  if (children(content).length === 0) return { code: undefined };
  const made = bodyOf(content, 'request', tools);
  if (made === undefined) return { problem: `its body is ${typesIn(content)}` };
  return { code: written(made, { isOptional: !isTrueAt(body, 'required') }) };
}

/** The response: the bodies of all 2xx that are described. */
export function response(operation: Part, tools: Tools): Body {
  const responses = child(operation, 'responses');
  const statuses = children(responses).filter(({ key }) => /^2(?:\d\d|XX)$/i.test(key));
  if (statuses.length === 0) {
    const redirect = children(responses).find(({ key }) => /^3\d\d$/.test(key));
    if (redirect !== undefined) return { problem: `it answers ${redirect.key}, and no 2xx` };
    if (responses !== undefined)
      tools.report.note(responses.pointer, 'describes no 2xx: the body of an answer is not read');
    return { code: 'ignoredBody' };
  }
  const contents = statuses.map((status) => child(tools.document.follow(status), 'content'));
  const described = contents.filter((content) => children(content).length > 0);
  if (described.length === 0) return { code: 'ignoredBody' };
  const bodies = described.map((content) => bodyOf(content, 'response', tools));
  const known = bodies.filter((body) => body !== undefined);
  if (known.length < bodies.length) return { problem: `it answers ${typesIn(described[0])}` };
  const all = anyOf(known);
  const isEmptyToo = described.length < contents.length;
  return { code: written(isEmptyToo ? nullable(all) : all, { isOptional: false }) };
}

function typesIn(content: Part | undefined): string {
  return children(content)
    .map(({ key }) => key)
    .join(', ');
}

function bodyOf(content: Part | undefined, direction: Direction, tools: Tools): Zod | undefined {
  const media = jsonOf(content);
  if (media !== undefined) return json(media, schemaOf(media, direction, tools));
  const form = child(content ?? nothing, 'application/x-www-form-urlencoded');
  if (form !== undefined && direction === 'request') {
    const schema = schemaOf(form, direction, tools);
    return schema.object === undefined ? undefined : around('form', schema);
  }
  const isText = children(content).some(({ key }) =>
    direction === 'request'
      ? /^text\/plain(?:;|$)/i.test(key)
      : /^text\/(?!event-stream)/i.test(key),
  );
  return isText ? plain(invoke('text')) : undefined;
}

const nothing: Part = { value: undefined, pointer: '#' };

function schemaOf(media: Part, direction: Direction, { schemas }: Tools): Zod {
  const schema = child(media, 'schema');
  return schema === undefined ? unknown : schemas.of(schema, direction);
}

const plainJson = /^application\/json(?: *;.*)?$/i;
const otherJson = /^application\/[\w.!#$&^-]+\+json$/i;
const anything = /^(?:\*\/\*|application\/\*)$/;

function jsonOf(content: Part | undefined): (Part & { readonly key: string }) | undefined {
  const all = children(content);
  const matching = (pattern: RegExp) => all.find(({ key }) => pattern.test(key));
  return matching(plainJson) ?? matching(otherJson) ?? matching(anything);
}

/** JSON of another type names it. */
function json({ key }: { readonly key: string }, schema: Zod): Zod {
  return otherJson.test(key) ? around('json', schema, quoted(key)) : schema;
}

function around(word: 'json' | 'form', schema: Zod, ...more: readonly Code[]): Zod {
  const inner: Chain | string = written(schema, { isOptional: false });
  return plain(invoke(word, inner, ...more));
}
