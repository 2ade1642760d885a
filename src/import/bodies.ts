/** Content of a request or an answer → a body of the kind that its media type has. */
import { formFields } from './form-fields.ts';
import { invoke, quoted } from './code.ts';
import { child, children } from './document.ts';
import type { Document, Part } from './document.ts';
import { isBinary } from './keywords.ts';
import { anything, binary, otherJson, plainJson, streamed, xmlTypes } from './media-types.ts';
import type { Direction } from './where.ts';
import { rowOf } from './table.ts';
import type { Tools } from './tools.ts';
import { plain, unknown, written } from './zod.ts';
import type { Zod } from './zod.ts';

/** A body, its kind still beside its schema, so that several can become one. */
export interface KindOfBody {
  readonly kind: 'json' | 'form' | 'multipart' | 'text' | 'csv' | 'bytes';
  /** The type of JSON that is not `application/json`. */
  readonly type: string | undefined;
  /** The argument of the word; `unknown` for words that have none. */
  readonly zod: Zod;
}

type Media = Part & { readonly key: string };
/** A body, why it has none, or `undefined` where the content has no such type. */
type Made = KindOfBody | { readonly problem: string } | undefined;

/** The body of the first kind that can be written; the problem is that of the first that is there. */
export function bodyIn(
  content: Part | undefined,
  direction: Direction,
  tools: Tools,
): KindOfBody | { readonly problem: string } {
  const kinds = direction === 'request' ? sent : received;
  let problem: string | undefined;
  for (const kind of kinds) {
    const made = kind(content, direction, tools);
    if (made !== undefined && !('problem' in made)) return made;
    problem ??= made && `: ${made.problem}`;
  }
  return { problem: problem ?? '' };
}

/** The code of a body. */
export function codeOf({ kind, type, zod }: KindOfBody): Zod {
  if (kind === 'json' && type === undefined) return zod;
  if (kind === 'text' || kind === 'bytes') return plain(invoke(kind));
  // The words for fields take an object, which `null` is not.
  const inner = written(
    { ...zod, isNullable: kind === 'json' && zod.isNullable },
    { isOptional: false },
  );
  return plain(invoke(kind, inner, ...(type === undefined ? [] : [quoted(type)])));
}

function json(content: Part | undefined, direction: Direction, tools: Tools): Made {
  const media = jsonIn(content, tools.document);
  if (media === undefined) return undefined;
  const schema = child(media, 'schema');
  const zod = schema === undefined ? unknown : tools.schemas.of(schema, direction);
  return { kind: 'json', type: otherJson.test(media.key) ? media.key : undefined, zod };
}

function form(content: Part | undefined, _: Direction, tools: Tools): Made {
  return fieldsIn('form', find(content, /^application\/x-www-form-urlencoded(?:;|$)/i), tools);
}

function multipart(content: Part | undefined, _: Direction, tools: Tools): Made {
  return fieldsIn('multipart', find(content, /^multipart\/form-data(?:;|$)/i), tools);
}

function fieldsIn(kind: 'form' | 'multipart', media: Media | undefined, tools: Tools): Made {
  if (media === undefined) return undefined;
  const made = formFields(media, kind, tools);
  return 'problem' in made ? made : { kind, type: undefined, zod: made };
}

function csv(content: Part | undefined, direction: Direction, tools: Tools): Made {
  const media = find(content, /^text\/csv(?:;|$)/i);
  if (media === undefined) return undefined;
  const zod = rowOf(media, direction, tools);
  return zod === undefined
    ? { problem: 'its schema does not name columns of single values' }
    : { kind: 'csv', type: undefined, zod };
}

/** A text of any type is read as it is. The only one that is sent is `text/plain`. */
function text(content: Part | undefined, direction: Direction, { report }: Tools): Made {
  const plainText = find(content, /^text\/plain(?:;|$)/i);
  const isRead = direction === 'response';
  const media = plainText ?? (isRead ? find(content, /^text\/(?!event-stream)/i) : undefined);
  if (media === undefined) return undefined;
  if (/^text\/csv/i.test(media.key))
    report.note(media.pointer, 'does not name columns of single values: it is read as one text');
  if (xmlTypes.test(media.key)) report.note(media.pointer, `is read as one text: ${leftToAuthor}`);
  return { kind: 'text', type: undefined, zod: unknown };
}

function bytes(content: Part | undefined, _: Direction, { document }: Tools): Made {
  const media = children(content).find(
    (one) => !streamed.test(one.key) && (binary.test(one.key) || isFile(one, document)),
  );
  return media && { kind: 'bytes', type: undefined, zod: unknown };
}

/** The names of its elements, and which of them repeat, are hints that most documents lack. */
function xml(content: Part | undefined): Made {
  return find(content, xmlTypes) && { problem: leftToAuthor };
}

const leftToAuthor = 'xml(), which names its elements, is left to you';

const sent = [json, form, multipart, csv, text, bytes, xml];
const received = [json, csv, text, bytes, xml];

/** The JSON in some content. Anything may be JSON, unless its schema says that it is a file. */
export function jsonIn(content: Part | undefined, document: Document): Media | undefined {
  const any = find(content, anything);
  return (
    find(content, plainJson) ??
    find(content, otherJson) ??
    (any && !isFile(any, document) ? any : undefined)
  );
}

function isFile(media: Part, document: Document): boolean {
  const schema = child(media, 'schema');
  return schema !== undefined && isBinary(schema, document);
}

function find(content: Part | undefined, pattern: RegExp): Media | undefined {
  return children(content).find(({ key }) => pattern.test(key));
}
