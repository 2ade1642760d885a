/** The body of a request, by the kind that its operation declares. */
import type { CsvKind } from '../../../dsl/body-kind.ts';
import type { Dispatch } from '../../call.ts';
import { callError } from '../../call.ts';
import { isBytes } from '../../../bytes.ts';
import { NotXmlError, writeXml } from '../../../xml.ts';
import { writeCsv } from './csv.ts';
import { writeParts } from './multipart.ts';
import { NotJsonError, toJsonValue } from '../../../json-value.ts';
import { isExactNumber } from '../../../exact-number.ts';
import { stringifyJson } from '../../../json.ts';
import { fieldOf } from '../../../plain-object.ts';
import { declaredFields, itemOf } from '../../../schema.ts';
import { mayTransform } from '../../../parse.ts';

type Called = Pick<Dispatch, 'operation'>;

/** A body as it is sent, and its `Content-Type`. */
export interface WrittenBody {
  readonly content: string | Buffer;
  readonly type: string;
}

/**
 * Writes the argument `body` as its schema gave it.
 *
 * @throws UpstreamError of kind `invalid-argument` for a value that the kind cannot carry.
 */
export function writeBody(call: Called, value: unknown): WrittenBody {
  const { bodyKind } = call.operation;
  const { kind, type } = bodyKind;
  switch (kind) {
    case 'json':
      return { content: toJson(call, checkedJson(call, value)), type };
    case 'form':
      return { content: toForm(call, value), type };
    case 'text':
      return { content: toText(call, value), type };
    case 'bytes':
      if (isBytes(value)) return { content: value.content, type: value.type };
      throw bodyError(call, 'argument "body" is not bytes, which only answers of services are');
    case 'multipart':
      return writeParts(fieldsOf(value), ([name, part]) => scalarText(call, part, `body.${name}`));
    case 'xml':
      return { content: toXml(call, value), type };
    case 'csv':
      return { content: toTable(call, bodyKind, value), type };
    default:
      return bodyKind satisfies never;
  }
}

/**
 * Refuses what a function of the schema made and JSON would change silently, as `NaN` to `null`.
 */
export function checkedJson(call: Called, value: unknown): unknown {
  const { body } = call.operation;
  if (body === undefined || !mayTransform(body)) return value;
  try {
    return toJsonValue(value);
  } catch (cause) {
    const problem = cause instanceof NotJsonError ? cause.message : 'cannot be written as JSON';
    throw bodyError(call, `argument "body": ${problem}`, cause);
  }
}

function toJson(call: Called, value: unknown): string {
  try {
    return stringifyJson(value);
  } catch (cause) {
    throw bodyError(call, 'argument "body" cannot be written as JSON', cause);
  }
}

function toText(call: Called, value: unknown): string {
  if (typeof value !== 'string') throw bodyError(call, 'argument "body" is not a text');
  return wellFormed(call, value, 'body');
}

/** Lists repeat their name; `undefined` and `null` leave it out. */
function fieldsOf(value: unknown): readonly (readonly [string, unknown])[] {
  return Object.entries(Object(value)).flatMap(([name, field]) =>
    [field]
      .flat()
      .filter((item) => item !== undefined && item !== null)
      .map((item) => [name, item] as const),
  );
}

function toForm(call: Called, value: unknown): string {
  const fields = new URLSearchParams();
  for (const [name, field] of fieldsOf(value))
    fields.append(wellFormed(call, name, 'body'), scalarText(call, field, `body.${name}`));
  return fields.toString();
}

function toXml(call: Called, value: unknown): string {
  try {
    return writeXml(value, (part) => scalarText(call, part, 'body'));
  } catch (error) {
    if (!(error instanceof NotXmlError)) throw error;
    throw bodyError(call, `argument "body" ${error.message}`);
  }
}

/** The columns are the fields that the schema gives, or those of the first row. */
function toTable(call: Called, kind: CsvKind, value: unknown): string {
  const { body } = call.operation;
  if (!Array.isArray(value)) throw bodyError(call, 'argument "body" is not a list of rows');
  const declared = Object.keys(declaredFields(body && itemOf(body)));
  const names = declared.length > 0 ? declared : Object.keys(Object(value[0]));
  const rows = value.map((row: unknown, index) =>
    names.map((name) => {
      const field = fieldOf(row, name);
      const isAbsent = field === undefined || field === null;
      return isAbsent ? undefined : scalarText(call, field, `body.${index}.${name}`);
    }),
  );
  return writeCsv(kind, names, rows);
}

/** The text of a single value in a body that has no other kinds. */
export function scalarText(call: Called, value: unknown, argument: string): string {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  const isScalar =
    ['string', 'boolean', 'bigint'].includes(typeof value) ||
    Number.isFinite(value) ||
    isExactNumber(value);
  if (!isScalar) throw bodyError(call, `argument "${argument}" is not a text, number or boolean`);
  return wellFormed(call, String(value), argument);
}

function wellFormed(call: Called, text: string, argument: string): string {
  if (text.isWellFormed()) return text;
  throw bodyError(call, `argument "${argument}" is not well-formed Unicode`);
}

function bodyError(call: Called, problem: string, cause?: unknown): Error {
  return callError(call, 'invalid-argument', problem, {
    argument: 'body',
    ...(cause !== undefined && { cause }),
  });
}
