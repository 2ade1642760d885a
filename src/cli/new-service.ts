/** `plait new service`: writes the file of a service from its OpenAPI document. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigurationError, errorCode } from '../errors.ts';
import { importOpenApi } from '../import/import-openapi.ts';
import { sectionsOf } from '../import/notes.ts';
import { splitList } from '../url.ts';

export interface NewServiceOptions {
  readonly name: string;
  /** The path of the OpenAPI document. */
  readonly document: string | undefined;
  /** The operations asked for, separated by commas; all of them without. */
  readonly operations: string | undefined;
  readonly folder: string;
}

/** @throws ConfigurationError when the document cannot be used, or the file exists. */
export async function newService({
  name,
  document,
  operations,
  folder,
}: NewServiceOptions): Promise<void> {
  if (!/^[a-z][a-z0-9-]*$/.test(name))
    throw new ConfigurationError(
      `${JSON.stringify(name)} is not a valid name of a service. Use lower-case letters, digits ` +
        'and dashes, as in "payments".',
    );
  if (document === undefined || document === '')
    throw new ConfigurationError(
      `plait new service ${name} needs a document: --from-openapi openapi.json`,
    );
  const { text, declared, findings, suggestions } = await importOpenApi(await read(document), {
    service: name,
    file: basename(document),
    operations: operations === undefined ? undefined : splitList(operations),
  });
  const path = join(folder, 'upstreams', `${name}.ts`);
  await write(path, text);
  const count = (kind: 'operation' | 'lookup'): string => {
    const { length } = declared.filter((one) => one.kind === kind);
    return `${length} ${kind}${length === 1 ? '' : 's'}`;
  };
  console.log(`${path}: ${count('operation')}, ${count('lookup')}`);
  console.log(adviceFor(text));
  const sections = sectionsOf(findings, suggestions);
  if (sections.length > 0) console.log('\nAlso at the end of the file:');
  for (const { title, entries } of sections) {
    console.log(`\n${title}`);
    for (const lines of entries) console.log(`  ${lines.join('\n    ')}`);
  }
}

/** Names the variables that the file reads; the first of them is the address. */
function adviceFor(text: string): string {
  const variables = new Set(Array.from(text.matchAll(/\{ env: '(\w+)' \}/g), ([, name]) => name));
  const [address, ...credentials] = variables;
  const needed =
    credentials.length === 0 ? '' : ` Its credentials are in ${credentials.join(', ')}.`;
  return `Set ${address} to the address of the service.${needed}`;
}

async function read(document: string): Promise<string> {
  try {
    return await readFile(document, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(`${document} cannot be read (${codeOrText(cause)}).`, { cause });
  }
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: 'wx' });
  } catch (cause) {
    const code = codeOrText(cause);
    throw new ConfigurationError(
      code === 'EEXIST'
        ? `${path} exists, and nothing is overwritten. Move it away, or choose another name.`
        : `${path} cannot be written (${code}).`,
      { cause },
    );
  }
}

function codeOrText(error: unknown): string {
  return errorCode(error) ?? String(error);
}
