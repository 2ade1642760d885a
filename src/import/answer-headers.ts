/**
 * The headers of answers without a body. Where there is a body, headers would give the value another
 * shape (`order.body.total`), which is for the author to choose.
 */
import { isHeaderName } from '../headers.ts';
import { zod } from './code.ts';
import type { Code } from './code.ts';
import { child, children, isTrueAt } from './document.ts';
import type { Document, Part } from './document.ts';
import { fromText } from './from-text.ts';
import { kindsOf } from './parameters.ts';
import type { Tools } from './tools.ts';
import { objectOf, plain } from './zod.ts';
import type { ObjectField } from './zod.ts';

/** The headers that say what a write has made; others are about the exchange, as rate limits. */
export const ofResource = new Set(['location', 'content-location', 'etag', 'last-modified']);
/** Headers of the connection, and `content-type`, which OpenAPI 3.1 has ignored here. */
const ignored =
  /^(?:content-type|set-cookie|connection|keep-alive|trailer|transfer-encoding|upgrade)$/;

/** The headers as a schema; `undefined` if there are none. To ask with HEAD is to ask for all. */
export function answerHeaders(
  method: string,
  statuses: readonly Part[],
  { document }: Tools,
): Code | undefined {
  const all = statuses.map((status) => headersIn(status, document));
  const isWanted = (name: string): boolean =>
    isHeaderName(name) && !ignored.test(name) && (method === 'HEAD' || ofResource.has(name));
  const names = [...new Set(all.flatMap((headers) => [...headers.keys()]))].filter(isWanted);
  if (names.length === 0) return undefined;
  const own = names.map((name): ObjectField => {
    const declared = all.map((headers) => headers.get(name));
    const isRequired = declared.every((one) => one !== undefined && isTrueAt(one, 'required'));
    return { name, zod: plain(textOf(declared, document)), isRequired };
  });
  return objectOf({ base: undefined, inherited: [], own }).code;
}

function headersIn(status: Part, document: Document): ReadonlyMap<string, Part> {
  const headers = children(child(status, 'headers'));
  return new Map(headers.map((one) => [one.key.toLowerCase(), document.follow(one)]));
}

/**
 * Numbers and booleans are read where all answers have the same. A text has no format: dates are
 * those of HTTP, and a `Location` of the service becomes a path.
 */
function textOf(declared: readonly (Part | undefined)[], document: Document) {
  const schemas = declared.flatMap((one) => (one && child(one, 'schema')) ?? []);
  const kinds = new Set(schemas.flatMap((schema) => kindsOf(schema, document)));
  const [kind] = kinds;
  return (kinds.size === 1 ? fromText(kind) : undefined) ?? zod('string');
}
