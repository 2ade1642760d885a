/** Comma-separated values (RFC 4180): a list of rows of texts. */
import type { CsvKind } from '../../../dsl/body-kind.ts';

/** Text that is no table. The message does not quote it. */
export class NotCsvError extends Error {
  override readonly name = 'NotCsvError';
}

/** A field; `undefined`: an empty text in quotation marks, and so not absent. */
type Field = string | undefined;

export interface Columns {
  /** In the order of a table without a header. */
  readonly names: readonly string[];
  /** Those that are absent where their field is empty; the others are an empty text there. */
  readonly mayBeAbsent: ReadonlySet<string>;
}

/**
 * The rows of a table, as objects of texts. Lines end with LF or CRLF; empty lines are skipped, if
 * rows have more than one field.
 *
 * @throws NotCsvError for misplaced quotation marks, rows of another length, and names that two
 * columns have.
 */
export function parseCsv(
  text: string,
  { separator, header }: CsvKind,
  { names, mayBeAbsent }: Columns,
): readonly object[] {
  const read = recordReader(text, separator);
  const columns = header ? namesOf(read() ?? []) : names;
  const rows: object[] = [];
  for (let record = read(); record !== undefined; record = read()) {
    if (record.length === 1 && record[0] === '' && columns.length > 1) continue;
    if (record.length !== columns.length)
      throw new NotCsvError(
        `has ${record.length} fields instead of ${columns.length} in row ${rows.length + 1}`,
      );
    rows.push(rowOf(columns, record, mayBeAbsent));
  }
  return rows;
}

function namesOf(record: readonly Field[]): readonly string[] {
  const names = record.map((name = '') => name);
  if (new Set(names).size === names.length) return names;
  throw new NotCsvError('has two columns of one name');
}

function rowOf(
  columns: readonly string[],
  record: readonly Field[],
  mayBeAbsent: ReadonlySet<string>,
): object {
  const row: Record<string, string> = {};
  for (let index = 0; index < columns.length; index += 1) {
    const name = columns[index] ?? '';
    const field = record[index];
    // Dropped as in JSON.
    if (name === '__proto__' || (field === '' && mayBeAbsent.has(name))) continue;
    row[name] = field ?? '';
  }
  return row;
}

/** Gives the fields of one record after the other. The end of the last line may be missing. */
function recordReader(text: string, separator: string): () => Field[] | undefined {
  let at = 0;
  let nextQuote = text.indexOf('"');
  return function nextRecord() {
    if (at >= text.length) return undefined;
    const lineEnd = text.indexOf('\n', at);
    const end = lineEnd === -1 ? text.length : lineEnd;
    if (nextQuote !== -1 && nextQuote < at) nextQuote = text.indexOf('"', at);
    if (nextQuote === -1 || nextQuote > end) {
      const line = text.slice(at, text[end - 1] === '\r' && end < text.length ? end - 1 : end);
      at = end + 1;
      return line.split(separator);
    }
    const quoted = quotedRecord(text, at, separator);
    at = quoted.end;
    return quoted.record;
  };
}

/** A record with quotation marks, and where the next one begins. */
function quotedRecord(
  text: string,
  start: number,
  separator: string,
): { readonly record: Field[]; readonly end: number } {
  const record: Field[] = [];
  for (let at = start; ;) {
    const end = text[at] === '"' ? endOfQuoted(text, at) : endOfPlain(text, at, separator);
    record.push(fieldOf(text.slice(at, end)));
    const next = text[end];
    if (next === separator) {
      at = end + 1;
      continue;
    }
    if (next === undefined || next === '\n') return { record, end: end + 1 };
    if (next === '\r' && text[end + 1] === '\n') return { record, end: end + 2 };
    throw new NotCsvError(`has a misplaced quotation mark in line ${lineOf(text, end)}`);
  }
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

function fieldOf(written: string): Field {
  if (!written.startsWith('"')) return written;
  return written.slice(1, -1).replaceAll('""', '"') || undefined;
}

/** Behind the closing quotation mark; two in a row are one of the field. */
function endOfQuoted(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (at !== -1 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  if (at === -1) throw new NotCsvError('has a quotation mark that is not closed');
  return at + 1;
}

const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

function endOfPlain(text: string, start: number, separator: string): number {
  const end = separator.charCodeAt(0);
  let at = start;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === end || code === lineFeed || code === quote) break;
    if (code === carriageReturn && text.charCodeAt(at + 1) === lineFeed) break;
  }
  return at;
}

/** A table with lines that end with CRLF. An empty text has quotation marks; `undefined` is empty. */
export function writeCsv(
  { separator, header }: Pick<CsvKind, 'separator' | 'header'>,
  names: readonly string[],
  rows: readonly (readonly (string | undefined)[])[],
): string {
  const written = (field: string | undefined): string => writtenField(field, separator);
  return [...(header ? [names] : []), ...rows]
    .map((fields) => `${fields.map(written).join(separator)}\r\n`)
    .join('');
}

function writtenField(field: string | undefined, separator: string): string {
  if (field === undefined) return '';
  const isPlain = field !== '' && !field.includes(separator) && !/["\r\n]|^\s|\s$/.test(field);
  return isPlain ? field : `"${field.replaceAll('"', '""')}"`;
}
