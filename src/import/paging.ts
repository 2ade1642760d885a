/** Lists that come in pages: the call of `pages()` that would read all of them. */
import { quoted } from './code.ts';
import { child, children, textAt } from './document.ts';
import type { Document, Part } from './document.ts';
import { successesOf } from './endpoints.ts';
import { partsOf, propertiesOf } from './keywords.ts';
import { jsonAnswerOf } from './media.ts';
import { alike } from './names.ts';
import { kindsOf } from './parameters.ts';
import type { Parameter } from './parameters.ts';
import type { Tools } from './tools.ts';

/** A property of an answer, or of an object in it, by its path. */
interface Place {
  readonly path: string;
  readonly schema: Part;
}

/** `pages(operation, args, { … })`; `undefined` if the document does not say how a list goes on. */
export function pagesOf(
  operation: Part,
  parameters: readonly Parameter[],
  tools: Tools,
): string | undefined {
  const { document } = tools;
  const schema = jsonAnswerOf(operation, tools);
  if (schema === undefined) return undefined;
  const places = placesIn(schema, document);
  const [items, ...others] = places.filter((place) => isList(place.schema, document));
  const isWhole = isList(schema, document);
  // Of several lists, a document does not say which one comes in pages.
  if (!isWhole && (items === undefined || others.length > 0)) return undefined;
  const next = nextOf(operation, { parameters, places, document });
  if (next === undefined) return undefined;
  const path = isWhole || items === undefined ? '' : `items: ${quoted(items.path)}, `;
  return `pages(operation, args, { ${path}next: ${next} })`;
}

interface Paged {
  readonly parameters: readonly Parameter[];
  readonly places: readonly Place[];
  readonly document: Document;
}

/** Without one of these, a `Link` is no way to a next page. */
const pageParameters = /^(?:page.*|perpage|limit|offset|cursor|after|before|start.*|since)$/;

/** The option `next`, as code. */
function nextOf(operation: Part, { parameters, places, document }: Paged): string | undefined {
  const names = parameters.flatMap((one) => (one.in === 'query' ? [one.name] : []));
  const named = (...wanted: readonly string[]): string | undefined =>
    names.find((name) => wanted.includes(alike(name)));
  const isPaged = names.some((name) => pageParameters.test(alike(name)));
  if (isPaged && hasLink(operation, document)) return quoted('link');
  const cursor = cursorIn(names, places, document);
  if (cursor !== undefined) return cursor;
  const url = places.find(
    ({ path, schema }) => /(?:^|\.)next$/.test(path) && isUrl(schema, document),
  );
  if (url !== undefined) return `{ url: ${quoted(url.path)} }`;
  const offset = named('offset');
  const limit = named('limit');
  if (offset !== undefined && limit !== undefined)
    return `{ offset: ${quoted(offset)}, limit: ${quoted(limit)} }`;
  const page = named('page', 'pagenumber');
  return page === undefined ? undefined : `{ page: ${quoted(page)} }`;
}

/** A parameter `cursor` and a text `nextCursor`, or `nextToken` in both places. */
function cursorIn(
  names: readonly string[],
  places: readonly Place[],
  document: Document,
): string | undefined {
  const texts = places.filter(({ schema }) => kindsOf(schema, document).join() === 'string');
  for (const query of names) {
    const found = texts.find(({ path }) => {
      const name = alike(path.slice(path.lastIndexOf('.') + 1));
      return isNext(name, alike(query));
    });
    if (found !== undefined) return `{ cursor: ${quoted(found.path)}, query: ${quoted(query)} }`;
  }
  return undefined;
}

function isNext(name: string, query: string): boolean {
  return name === `next${query}` || (name === query && /^(?:next|continuation)/.test(query));
}

function hasLink(operation: Part, document: Document): boolean {
  return successesOf(operation, document)
    .flatMap((answer) => children(child(answer, 'headers')))
    .some(({ key }) => key.toLowerCase() === 'link');
}

function isUrl(schema: Part, document: Document): boolean {
  return partsOf(schema, document).some((part) =>
    /^(?:uri|url)/.test(textAt(part, 'format') ?? ''),
  );
}

function isList(schema: Part, document: Document): boolean {
  return partsOf(schema, document).some((part) => child(part, 'items') !== undefined);
}

function placesIn(schema: Part, document: Document, depth = 0): readonly Place[] {
  return propertiesOf(schema, document)
    .filter(({ key }) => !key.includes('.'))
    .flatMap((property) => {
      const inner = depth > 0 ? [] : placesIn(property, document, depth + 1);
      const below = inner.map((place) => ({ ...place, path: `${property.key}.${place.path}` }));
      return [{ path: property.key, schema: property }, ...below];
    });
}
