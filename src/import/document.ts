/** An OpenAPI document: its parts by JSON Pointer, and what its references refer to. */
import { ConfigurationError } from '../errors.ts';
import { parseJson } from '../json.ts';

/** A value in the document, and where it is. */
export interface Part {
  readonly value: unknown;
  /** JSON Pointer as a fragment: `#/paths/~1orders/get`. */
  readonly pointer: string;
}

export interface Document {
  readonly root: Part;
  /** The part itself or, if it is a `$ref`, what that refers to in the end. */
  follow(part: Part): Part;
}

/** Deeper than any contract, shallow enough for recursion. */
const maxDepth = 256;

/** @throws ConfigurationError when the text is not JSON, or not OpenAPI 3.0 or 3.1. */
export async function readDocument(text: string, file: string): Promise<Document> {
  const root: Part = { value: await parse(text, file), pointer: '#' };
  const version = textAt(root, 'openapi');
  if (version === undefined || !/^3\.[01](?:\.|$)/.test(version)) {
    const old = textAt(root, 'swagger');
    const found = version ?? (old === undefined ? undefined : `Swagger ${old}`);
    const is = found === undefined ? 'no OpenAPI document' : `of version ${found}`;
    const advice = 'Use OpenAPI 3.0 or 3.1; converters for others are on npm (swagger2openapi).';
    throw new ConfigurationError(`${file} is ${is}. ${advice}`);
  }
  return { root, follow: (part) => follow(root, part, file) };
}

async function parse(text: string, file: string): Promise<unknown> {
  if (/^\uFEFF?\s*\{/.test(text)) return parseOrRefuse(() => parseJson(text, maxDepth), file);
  const { parseYaml } = await import('./yaml.ts');
  return parseOrRefuse(await parseYaml(text, file), file);
}

function parseOrRefuse(parsed: () => unknown, file: string): unknown {
  try {
    return parsed();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError(`${file} cannot be read: ${reason}`, { cause });
  }
}

function follow(root: Part, start: Part, file: string): Part {
  const seen = new Set<string>();
  let part = start;
  for (let ref = refOf(part); ref !== undefined; ref = refOf(part)) {
    if (seen.has(part.pointer))
      throw new ConfigurationError(`${file}: ${part.pointer} refers to itself.`);
    seen.add(part.pointer);
    part = resolve(root, part.pointer, ref, file);
  }
  return part;
}

/** The text of the `$ref` that a part has. */
export function refOf(part: Part): string | undefined {
  return textAt(part, '$ref');
}

function resolve(root: Part, from: string, ref: string, file: string): Part {
  const where = `${file}: ${from} refers to ${JSON.stringify(ref)}`;
  if (!ref.startsWith('#')) {
    const advice = 'Bundle them first, as with: npx @redocly/cli bundle';
    throw new ConfigurationError(`${where}; other documents are not read. ${advice} ${file}`);
  }
  const found = ref === '#' ? root : partAt(root, ref);
  if (found !== undefined) return found;
  throw new ConfigurationError(`${where}, which is not in the document.`);
}

function partAt(root: Part, ref: string): Part | undefined {
  if (!ref.startsWith('#/')) return undefined;
  let part: Part | undefined = root;
  for (const token of ref.slice(2).split('/')) {
    if (part === undefined) return undefined;
    part = child(part, fromToken(token));
  }
  return part;
}

/** A token of a pointer in a fragment: percent-encoded, then `~1` and `~0` (RFC 6901, 3 and 6). */
function fromToken(token: string): string {
  let text = token;
  try {
    text = decodeURIComponent(token);
  } catch {
    // Not encoded: authors write a bare percent sign.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}

function toToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The last key of a pointer. */
export function keyOf({ pointer }: Part): string {
  return fromToken(pointer.slice(pointer.lastIndexOf('/') + 1));
}

/** The part below by its keys; `undefined` if one of them is not there. */
export function child(part: Part, ...keys: readonly string[]): Part | undefined {
  let found: Part | undefined = part;
  for (const key of keys) {
    const value: unknown = found?.value;
    if (found === undefined || !isObject(value) || !Object.hasOwn(value, key)) return undefined;
    found = { value: value[key], pointer: `${found.pointer}/${toToken(key)}` };
  }
  return found;
}

/** The parts directly below, of an object or a list. */
export function children(part: Part | undefined): readonly (Part & { readonly key: string })[] {
  if (part === undefined || !isObject(part.value)) return [];
  return Object.entries(part.value).map(([key, value]) => ({
    key,
    value,
    pointer: `${part.pointer}/${toToken(key)}`,
  }));
}

export function textAt(part: Part, ...keys: readonly string[]): string | undefined {
  const value = child(part, ...keys)?.value;
  return typeof value === 'string' ? value : undefined;
}

/** A number that JavaScript holds exactly. */
export function numberAt(part: Part, key: string): number | undefined {
  const value = child(part, key)?.value;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function isTrueAt(part: Part, key: string): boolean {
  return child(part, key)?.value === true;
}

export function textsAt(part: Part, key: string): readonly string[] {
  return children(child(part, key)).flatMap(({ value }) =>
    typeof value === 'string' ? [value] : [],
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
