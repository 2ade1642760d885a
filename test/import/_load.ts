/** Imports documents, and runs the files that come of them. */
import { stripTypeScriptTypes } from 'node:module';
import { compileFunction } from 'node:vm';
import { z } from 'zod';
import { importOpenApi } from '../../src/import/import-openapi.ts';
import type { Imported } from '../../src/import/import-openapi.ts';
import * as plait from '../../src/index.ts';
import type { Operation } from '../../src/index.ts';

export interface Loaded extends Imported {
  /** What the file exports but for the service, by name. */
  readonly operations: Readonly<Record<string, Operation>>;
  readonly service: plait.Service;
}

export interface LoadOptions {
  readonly operations?: readonly string[];
}

/** A document with these paths. */
export function documentOf(
  paths: unknown,
  { schemas = {}, ...more }: { readonly schemas?: unknown; readonly [key: string]: unknown } = {},
): object {
  const info = { title: 'Orders', version: '1' };
  return { openapi: '3.1.0', info, paths, components: { schemas }, ...more };
}

/** A document whose only operation, `get`, answers with this schema. */
export function answering(schema: unknown, schemas: unknown = {}, version = '3.1.0'): object {
  const paths = { '/thing': { get: { operationId: 'get', responses: { 200: json(schema) } } } };
  return documentOf(paths, { schemas, openapi: version });
}

/** An answer, or the body of a request. */
export function json(schema: unknown): object {
  return { content: { 'application/json': { schema } } };
}

export async function load(document: object, { operations }: LoadOptions = {}): Promise<Loaded> {
  const imported = await importOpenApi(JSON.stringify(document), {
    service: 'orders',
    file: 'orders.json',
    operations,
  });
  const code = stripTypeScriptTypes(imported.text)
    .replaceAll(/^import .*$/gm, '')
    .replaceAll(/^export /gm, '');
  const names = ['orders', ...imported.declared.map(({ name }) => name)];
  const run = compileFunction(`${code}\nreturn { ${names.join(', ')} };`, [
    'z',
    ...Object.keys(plait),
  ]);
  // The file says so; each test looks at what it exports.
  const { orders, ...rest }: { orders: plait.Service } & Record<string, Operation> = run(
    z,
    ...Object.values(plait),
  );
  return { ...imported, operations: rest as Record<string, Operation>, service: orders };
}

/** The code of the response of `answering`, on one line. */
export function responseIn(text: string): string {
  const [, code = ''] = /response: (.*?)\n?,?\s*\}\);/s.exec(text) ?? [];
  return code
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/([([{]) /g, '$1')
    .replaceAll(/,? ([)\]])/g, '$1')
    .replaceAll(/(?<=\{)(?=\S)|,? ?\}/g, (brace) => (brace === '' ? ' ' : ' }'))
    .replaceAll('{ }', '{}')
    .replaceAll(/ \.(?=\w)/g, '.')
    .replace(/,$/, '');
}
