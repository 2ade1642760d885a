/** Comma-separated values (RFC 4180): a list of rows of texts. */
import type { CsvKind } from '../../../dsl/body-kind.ts';

/** Text that is no table. The message does not quote it. */
export class NotCsvError extends Error {
  override readonly name = 'NotCsvError';
}

/** A field; `undefined`: empty, and without quotation marks. */
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
  const records = recordsOf(text, separator);
  const columns = header ? namesOf(records.shift() ?? []) : names;
  const rows: object[] = [];
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index] ?? [];
    if (record.length === 1 && record[0] === undefined && columns.length > 1) continue;
    if (record.length !== columns.length)
      throw new NotCsvError(
        `has ${record.length} fields instead of ${columns.length} in row ${index + 1}`,
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
    if (name === '__proto__' || (field === undefined && mayBeAbsent.has(name))) continue;
    row[name] = field ?? '';
  }
  return row;
}

/** All lines, split into fields. The end of the last one may be missing. */
function recordsOf(text: string, separator: string): Field[][] {
  const records: Field[][] = [];
  let record: Field[] = [];
  let at = 0;
  let isAfterSeparator = false;
  while (at < text.length || isAfterSeparator) {
    const end = text[at] === '"' ? endOfQuoted(text, at) : endOfPlain(text, at, separator);
    record.push(fieldOf(text.slice(at, end)));
    const next = text[end];
    isAfterSeparator = next === separator;
    const isCrLf = next === '\r' && text[end + 1] === '\n';
    at = end + (isCrLf ? 2 : 1);
    if (isAfterSeparator) continue;
    if (next !== undefined && next !== '\n' && !isCrLf)
      throw new NotCsvError(`has a misplaced quotation mark in line ${records.length + 1}`);
    records.push(record);
    record = [];
  }
  return records;
}

function fieldOf(written: string): Field {
  if (written === '') return undefined;
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
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
