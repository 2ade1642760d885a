/** Arguments → the query of a request, in the style that its service reads. */
import { keysInQuery } from '../../dsl/lookup-keys.ts';
import { limitInQuery } from '../../dsl/lookup-limit.ts';
import { mostLevels, reservedIn } from '../../dsl/query-style.ts';
import type { WrittenStyle } from '../../dsl/query-style.ts';
import { isPlainObject } from '../../plain-object.ts';
import type { Dispatch } from '../call.ts';
import { callError } from '../call.ts';

export type Targeted = Pick<Dispatch, 'operation' | 'args' | 'keys'>;

/** The query of a call, with the keys of a lookup at its end; empty if there is nothing in it. */
export function searchOf(call: Targeted, query: Readonly<Record<string, unknown>>): string {
  const keys = keysOf(call);
  const fields = Object.entries(query);
  // `URLSearchParams` costs as much as the rest of the target.
  if (fields.length === 0) return keys;
  const style = call.operation.queryStyle;
  const rest = style === undefined ? asForm(call, fields) : asStyled(call, fields, style);
  return rest === '' || keys === '' ? rest + keys : `${rest}&${keys}`;
}

function keysOf({ keys, operation: { lookup } }: Targeted): string {
  if (keys === undefined || lookup === undefined) return '';
  const own = keysInQuery(lookup, keys);
  if (lookup.limit === undefined) return own;
  const limit = limitInQuery(lookup.limit, keys.length);
  return own === '' ? limit : `${own}&${limit}`;
}

type Fields = readonly (readonly [name: string, value: unknown])[];

/** As forms are written: `application/x-www-form-urlencoded`. */
function asForm(call: Targeted, fields: Fields): string {
  const search = new URLSearchParams();
  for (const [name, value] of fields) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item === undefined || item === null) continue;
      search.append(name, scalarText(call, name, item));
    }
  }
  return search.toString();
}

function scalarText(call: Targeted, name: string, value: unknown): string {
  if (value instanceof Date) return dateText(call, name, value);
  if (typeof value === 'object')
    throw argumentError(call, name, 'is an object, which cannot be written in a query');
  const text = String(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw argumentError(call, name, `is ${text}`);
  if (!text.isWellFormed()) throw argumentError(call, name, 'is not well-formed Unicode');
  return text;
}

function dateText(call: Targeted, name: string, date: Date): string {
  if (Number.isNaN(date.getTime())) throw argumentError(call, name, 'is not a valid date');
  return date.toISOString();
}

function asStyled(call: Targeted, fields: Fields, style: WrittenStyle): string {
  const pairs: string[] = [];
  const reserved = reservedIn(style);
  for (const [argument, value] of fields) {
    const writing = { call, style, reserved, argument, pairs };
    write(writing, encoded(writing, checkedName(writing, argument)), value, 0);
  }
  return pairs.join('&');
}

interface Writing {
  readonly call: Targeted;
  readonly style: WrittenStyle;
  /** The characters that no name may have. */
  readonly reserved: readonly string[];
  /** The argument that errors name. */
  readonly argument: string;
  readonly pairs: string[];
}

/** `name`: with the names around it, and encoded. `level`: the number of objects around it. */
function write(writing: Writing, name: string, value: unknown, level: number): void {
  const { call, style, argument, pairs } = writing;
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) return writeList(writing, name, value);
  if (style.objects === undefined || !isPlainObject(value)) {
    pairs.push(`${name}=${encoded(writing, scalarText(call, argument, value))}`);
    return;
  }
  if (level === mostLevels)
    throw argumentError(call, argument, `is nested deeper than ${mostLevels} levels`);
  for (const [key, field] of Object.entries(value)) {
    const inner = encoded(writing, checkedName(writing, key));
    const place = style.objects === 'dots' ? `${name}.${inner}` : `${name}%5B${inner}%5D`;
    write(writing, place, field, level + 1);
  }
}

/** A list without items, like an object without fields, leaves no trace. */
function writeList(writing: Writing, name: string, list: readonly unknown[]): void {
  const { call, style, argument, pairs } = writing;
  const texts = list
    .filter((item) => item !== undefined && item !== null)
    .map((item) => encoded(writing, scalarText(call, argument, item)));
  if (texts.length === 0) return;
  if (style.arrays === 'comma') pairs.push(`${name}=${texts.join(',')}`);
  else for (const text of texts) pairs.push(`${name}${suffixes[style.arrays]}=${text}`);
}

/** Brackets are escaped: some servers, as Tomcat, refuse others (RFC 3986, 3.4). */
const suffixes = { repeat: '', brackets: '%5B%5D' } as const;

/** Refuses a name that could be read as the place of another value. */
function checkedName({ call, reserved, argument }: Writing, name: string): string {
  const problem = nameProblem(name, reserved);
  if (problem === undefined) return name;
  throw argumentError(
    call,
    argument,
    `has a field that queryStyle cannot write: its name ${problem}`,
  );
}

function nameProblem(name: string, reserved: readonly string[]): string | undefined {
  if (name === '') return 'is empty';
  if (!name.isWellFormed()) return 'is not well-formed Unicode';
  const found = reserved.find((one) => name.includes(one));
  return found && `contains "${found}"`;
}

/** A comma and a plus sign in it are escaped, so that they are no separator and no space. */
function encoded({ style }: Writing, text: string): string {
  const escaped = encodeURIComponent(text);
  return style.spaces === '+' ? escaped.replaceAll('%20', '+') : escaped;
}

/** `problem`: the rest of a sentence about the argument. */
export function argumentError(call: Targeted, argument: string, problem: string): Error {
  return callError(call, 'invalid-argument', `argument "${argument}" ${problem}`, { argument });
}
