/** The requests of a load as a file that every generator reads: a line each, headers after tabs. */
import { readFile, writeFile } from 'node:fs/promises';

export interface Request {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function writeRequests(file: string, requests: readonly Request[]): Promise<void> {
  await writeFile(file, `${requests.map(toLine).join('\n')}\n`);
}

export async function readRequests(file: string): Promise<Request[]> {
  const text = await readFile(file, 'utf8');
  return text.trimEnd().split('\n').map(toRequest);
}

function toLine({ path, headers = {} }: Request): string {
  return [path, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\t');
}

function toRequest(line: string): Request {
  const [path = '', ...headers] = line.split('\t');
  return { path, headers: Object.fromEntries(headers.map(toHeader)) };
}

function toHeader(text: string): [name: string, value: string] {
  const end = text.indexOf(': ');
  return [text.slice(0, end), text.slice(end + 2)];
}
