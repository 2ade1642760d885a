/** The endpoints of a document, and which of them are asked for. */
import { ConfigurationError } from '../errors.ts';
import { child, children, textAt } from './document.ts';
import type { Document, Part } from './document.ts';
import { camelCase, pascalCase } from './names.ts';

export interface Endpoint {
  /** `GET` */
  readonly method: string;
  /** As the document writes it: `/orders/{orderId}`. */
  readonly path: string;
  readonly pathItem: Part;
  readonly operation: Part;
  /** The name that it should have in the file. */
  readonly wantedName: string;
}

const methods = ['get', 'head', 'post', 'put', 'patch', 'delete'];

export function endpointsOf({ root, follow }: Document): readonly Endpoint[] {
  return children(child(root, 'paths')).flatMap((declared) => {
    const pathItem = follow(declared);
    return methods.flatMap((method) => {
      const operation = child(pathItem, method);
      if (operation === undefined) return [];
      const { key: path } = declared;
      const id = textAt(operation, 'operationId');
      const wantedName = id === undefined ? nameOf(method, path) : camelCase(id);
      return [{ method: method.toUpperCase(), path, pathItem, operation, wantedName }];
    });
  });
}

/** The answers of an operation that are a success. */
export function successesOf(
  operation: Part,
  { follow }: Document,
): readonly (Part & { readonly key: string })[] {
  return children(child(operation, 'responses'))
    .filter(({ key }) => /^2(?:\d\d|XX)$/i.test(key))
    .map((answer) => ({ ...follow(answer), key: answer.key }));
}

/** `GET /orders/{orderId}/items` → `getOrdersByOrderIdItems`. */
function nameOf(method: string, path: string): string {
  const parts = path.split('/').map((segment) => {
    const by = /\{/.test(segment) ? 'By' : '';
    return segment === '' ? '' : by + pascalCase(segment);
  });
  return method + parts.join('');
}

/**
 * The endpoints that are asked for by operation id, by name or as `GET /orders`; all of them
 * without `wanted`.
 *
 * @throws ConfigurationError for one that is not there.
 */
export function chosen(
  endpoints: readonly Endpoint[],
  wanted: readonly string[] | undefined,
  file: string,
): readonly Endpoint[] {
  if (endpoints.length === 0) throw new ConfigurationError(`${file} has no operations.`);
  if (wanted === undefined) return endpoints;
  const isNamed = ({ operation, wantedName, method, path }: Endpoint, text: string): boolean =>
    [textAt(operation, 'operationId'), wantedName, `${method} ${path}`].includes(text);
  const unknown = wanted.filter((text) => !endpoints.some((one) => isNamed(one, text)));
  if (unknown.length === 0)
    return endpoints.filter((one) => wanted.some((text) => isNamed(one, text)));
  const names = endpoints.map(
    ({ operation, method, path }) => textAt(operation, 'operationId') ?? `${method} ${path}`,
  );
  const shown = likely(names, unknown).slice(0, 20);
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
  throw new ConfigurationError(
    `${file} has no operation ${unknown.map((text) => JSON.stringify(text)).join(', ')}. It has: ` +
      `${shown.join(', ')}${more}.`,
  );
}

function words(text: string): readonly string[] {
  return text.toLowerCase().match(/[a-z\d]{3,}/g) ?? [];
}

/** Those that have a word in common with what was asked for come first. */
function likely(names: readonly string[], unknown: readonly string[]): readonly string[] {
  const asked = new Set(unknown.flatMap((text) => [...words(text), text.toLowerCase()]));
  const isLike = (name: string): boolean =>
    words(name).some((word) => asked.has(word)) ||
    [...asked].some((word) => name.toLowerCase().includes(word));
  return [...names.filter(isLike), ...names.filter((name) => !isLike(name))];
}
