/**
 * The requests of a load as a file that every generator reads: a line each, its parts separated by
 * tabs. The first part is the path, the others are headers (`name: value`) or the JSON body
 * (`{…}`).
 */
import { readFile, writeFile } from 'node:fs/promises';

export interface Request {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A JSON object as one line of text; makes it a POST. */
  readonly body?: string;
}

/** Enough that none comes again before the last one is answered. */
const many = 10_000;

/** One request for each of 10,000 ids, or of fewer. */
export function forEachId(make: (id: string) => Request, count = many): readonly Request[] {
  return Array.from({ length: count }, (_, index) => make(`ord_${index}`));
}

export async function writeRequests(file: string, requests: readonly Request[]): Promise<void> {
  await writeFile(file, `${requests.map(toLine).join('\n')}\n`);
}

export async function readRequests(file: string): Promise<Request[]> {
  const text = await readFile(file, 'utf8');
  return text.trimEnd().split('\n').map(toRequest);
}

function toLine({ path, headers = {}, body }: Request): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [path, ...lines, ...(body === undefined ? [] : [body])].join('\t');
}

function toRequest(line: string): Request {
  const [path = '', ...parts] = line.split('\t');
  const body = parts.find(isBody);
  const headers = parts.filter((part) => !isBody(part)).map(toHeader);
  return { path, headers: Object.fromEntries(headers), ...(body !== undefined && { body }) };
}

/** No header name begins with a brace, and JSON has no tabs. */
function isBody(part: string): boolean {
  return part.startsWith('{');
}

function toHeader(text: string): [name: string, value: string] {
  const end = text.indexOf(': ');
  return [text.slice(0, end), text.slice(end + 2)];
}
