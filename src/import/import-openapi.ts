/** An OpenAPI document → the file of a service: its address, credentials, schemas and operations. */
import { ConfigurationError } from '../errors.ts';
import { fields, invoke, quoted } from './code.ts';
import { print } from './print.ts';
import type { Field } from './code.ts';
import { docComment, oneLine, wrapped } from './comment.ts';
import { child, children, readDocument, textAt } from './document.ts';
import type { Document } from './document.ts';
import { chosen, endpointsOf } from './endpoints.ts';
import { camelCase, constantCase, createNames, pascalCase, words } from './names.ts';
import { commentOf, linesOf, sectionsOf } from './notes.ts';
import { declarationsOf } from './operations.ts';
import type { Declared } from './operations.ts';
import { sharedStyleOf, toStyleOption } from './query.ts';
import { createReport } from './report.ts';
import type { Finding, Suggestion } from './report.ts';
import { createSchemas } from './schemas.ts';
import { mostUsed, securityOf } from './security.ts';

export interface ImportOptions {
  /** The name of the service: `payments`. */
  readonly service: string;
  /** The name of the document, for messages. */
  readonly file: string;
  /** The operations asked for, by id, by name or as `GET /orders`; all of them without. */
  readonly operations: readonly string[] | undefined;
}

export interface Imported {
  /** The file, as TypeScript. */
  readonly text: string;
  readonly declared: readonly Omit<Declared, 'text'>[];
  /** The parts of the document that could not be carried over. */
  readonly findings: readonly Finding[];
  /** Options that the document allows for, and that are left to the author. */
  readonly suggestions: readonly Suggestion[];
}

/** @throws ConfigurationError when the document cannot be used, or no operation can be called. */
export async function importOpenApi(text: string, options: ImportOptions): Promise<Imported> {
  const { service, file } = options;
  const document = await readDocument(text, file);
  const report = createReport();
  const names = createNames(pascalCase(service));
  const constant = names.take(camelCase(service));
  const wanted = chosen(endpointsOf(document), options.operations, file).map((endpoint) => ({
    endpoint,
    security: securityOf(endpoint.operation, { document, service }),
  }));
  const credentials = mostUsed(wanted.map(({ security }) => security));
  for (const { pointer, detail } of credentials?.notes ?? []) report.note(pointer, detail);
  const schemas = createSchemas({ document, names, report });
  const sharedStyle = sharedStyleOf(
    wanted.map(({ endpoint }) => endpoint),
    document,
  );
  const tools = { document, schemas, report, names, service: constant, credentials, sharedStyle };
  const declared = wanted.flatMap(({ endpoint, security }) =>
    declarationsOf(endpoint, security, tools),
  );
  const { findings, suggestions } = report;
  if (declared.length === 0)
    throw new ConfigurationError(
      [`${file}: nothing could be carried over.`, ...linesOf(findings)].join('\n'),
    );
  const declarations = declared.map((one) => one.text);
  const own = [...(credentials?.options ?? []), ...toStyleOption(sharedStyle)];
  const head = serviceOf(options, constant, own);
  const body = [...used(schemas.constants(), declarations), ...declarations];
  const parts = [
    headOf(document, options),
    importsOf([head, ...body]),
    '',
    [...serversOf(document), head].join('\n'),
    '',
    body.join('\n\n'),
    ...commentOf(sectionsOf(findings, suggestions)),
  ];
  return { text: `${parts.join('\n')}\n`, declared, findings, suggestions };
}

function headOf({ root }: Document, { service, file }: ImportOptions): string {
  const title = textAt(root, 'info', 'title');
  const version = textAt(root, 'info', 'version');
  const of = [title === undefined ? [] : `"${title}"`, version ?? []].flat().join(' ');
  return docComment(
    `The service ${service}, by the OpenAPI document ${of === '' ? file : `${of} (${file})`}.`,
  );
}

function serviceOf({ service }: ImportOptions, constant: string, own: readonly Field[]): string {
  const url = fields({ name: 'env', value: quoted(`${constantCase(service)}_URL`) });
  const options: readonly Field[] = [
    { name: 'name', value: quoted(service) },
    { name: 'url', value: url },
    ...own,
  ];
  const head = `export const ${constant} = `;
  return `${head}${print(invoke('defineService', fields(...options)), 0, head.length)};`;
}

/** The addresses in the document, as a comment: the real ones come from the environment. */
function serversOf({ root }: Document): readonly string[] {
  const urls = children(child(root, 'servers')).flatMap((server) => textAt(server, 'url') ?? []);
  if (urls.length === 0) return [];
  return wrapped(oneLine(`Addresses by the document: ${urls.join(', ')}`), '// ');
}

function importsOf(body: readonly string[]): string {
  const code = body.map(withoutTexts).join('\n');
  const own = words.filter((word) => new RegExp(`(?<![.\\w]|get )${word}\\b(?!:)`).test(code));
  const lines = [`import { ${own.join(', ')} } from 'plait';`];
  if (/(?<![.\w])z\./.test(code)) lines.push("import { z } from 'zod';");
  return lines.join('\n');
}

/** The constants that the declarations need; a parameter that was left out may have needed more. */
function used(constants: readonly string[], declarations: readonly string[]): readonly string[] {
  let kept: readonly string[] = constants;
  for (;;) {
    const all = [...kept, ...declarations].map(withoutTexts);
    const next = kept.filter((text, index) => {
      const [, name = ''] = /^const ([\w$]+)/.exec(text) ?? [];
      const pattern = new RegExp(`(?:^|[^.\\w$]|\\.{3})${name}(?![\\w$]|:)`);
      return all.some((one, other) => other !== index && pattern.test(one));
    });
    if (next.length === kept.length) return kept;
    kept = next;
  }
}

/** Code without literals and comments, in which any word may stand. */
function withoutTexts(code: string): string {
  return code.replaceAll(/\/\*\*.*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/gs, "''");
}
