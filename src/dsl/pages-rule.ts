/** `items`, `next` and `maxPages` of `pages`: where the items of a page are, and the next page. */
import { CompositionError } from '../errors.ts';
import { declaredFields, fieldsOf, itemOf, kindOf, ownField, schemaAt } from '../schema.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import type { Operation } from './operation.ts';
import { mayHavePath, parsePath } from './path.ts';
import type { At, Path, PathOf, Scalar } from './path.ts';
import { shownValue, withArticle } from '../shown-value.ts';

/**
 * How a list goes on. `'link'`: by the `Link` header (RFC 8288) with `rel="next"`. `cursor`: its
 * value is sent as the query parameter `query`. `url`: the value is the address of the next page.
 * `offset`: the parameter grows by the items that came; `limit` is the one for the size of a page.
 * `page`: the parameter grows by one, from 1 if the call does not give it. `total`: the number of
 * all items, and not of pages.
 */
export type Next<Args, Result> =
  | 'link'
  | { readonly cursor: PathOf<Result, Scalar>; readonly query: Name<Args> }
  | { readonly url: PathOf<Result, string> }
  | {
      readonly offset: Name<Args>;
      readonly limit: Name<Args>;
      readonly total?: PathOf<Result, Scalar>;
    }
  | { readonly page: Name<Args>; readonly total?: PathOf<Result, Scalar> };

type Name<Args> = keyof Args & string;

/** The type of the items of the list at a path. */
export type ItemAt<Result, Items> =
  NonNullable<At<NonNullable<Result>, Items>> extends readonly (infer Item)[] ? Item : never;

/** The options of `pages`, checked. */
export interface PagesRule {
  /** The place of the items in the value of a page; absent: the value is the list itself. */
  readonly items: Path | undefined;
  readonly next: NextRule;
  /** The most pages: a longer list is a failure. */
  readonly maxPages: number;
}

/** A query parameter that is different for each page. */
export interface Varied {
  readonly argument: string;
  /** Whether its schema takes only text. */
  readonly asText: boolean;
}

export type NextRule =
  | { readonly kind: 'link' }
  | { readonly kind: 'url'; readonly at: Path }
  | ({ readonly kind: 'cursor'; readonly at: Path } & Varied)
  | ({ readonly kind: 'offset' | 'page'; readonly total: Path | undefined } & Varied);

/** The options as they were given: a file may be JavaScript. */
export interface PagesConfig {
  readonly items?: unknown;
  readonly next?: unknown;
  readonly maxPages?: number;
}

/** `place`: the composition. @throws CompositionError for what cannot be followed. */
export function checkedPages(operation: Operation, given: PagesConfig, place: string): PagesRule {
  const config = Object(given) as PagesConfig; // anything has properties then
  refuseOthers(operation, place);
  refuseUnknownKnobs(config, ['items', 'next', 'maxPages'], `${place}: pages()`);
  return Object.freeze({
    items: checkedItems(operation, config.items, place),
    next: Object.freeze(checkedNext(operation, config.next, place)),
    maxPages: positive(config.maxPages ?? 10, 'pages(): maxPages', place),
  });
}

/** Refuses what is not sent again for another page. */
function refuseOthers({ name, safe, lookup, route }: Operation, place: string): void {
  if (safe && lookup === undefined) return;
  const reason =
    lookup === undefined
      ? `a ${route.method}. Use call(); if it only reads, declare safe: true.`
      : 'a lookup, whose items are matched to keys. Use call(), which batches them.';
  throw new CompositionError(
    place,
    `pages() is for operations that read, but ${name} is ${reason}`,
  );
}

function checkedItems(operation: Operation, items: unknown, place: string): Path | undefined {
  const { response, name } = operation;
  if (items === undefined) {
    if (itemOf(response) !== undefined || kindOf(response) === undefined) return undefined;
    throw new CompositionError(
      place,
      `pages(): the value of ${name} is not a list. Give the path to its list, as in ` +
        'items: "data.items".',
    );
  }
  const path = checkedPath(operation, items, { knob: 'items', place });
  const list = schemaAt(response, path.names);
  if (list === undefined || itemOf(list) !== undefined || kindOf(list) === undefined) return path;
  const kind = withArticle(kindOf(list) ?? '');
  throw new CompositionError(
    place,
    `pages(): items is "${path.text}", which is not a list but ${kind}. ` +
      'Give the path to the list.',
  );
}

function checkedNext(operation: Operation, next: unknown, place: string): NextRule {
  if (next === 'link') return { kind: 'link' };
  const { cursor, url, offset, page, query, limit, total } = Object(next);
  const pathOf = (text: unknown, knob: string): Path =>
    checkedPath(operation, text, { knob: `next.${knob}`, place });
  const varied = (name: unknown, knob: string): Varied =>
    checkedName(operation, name, { knob: `next.${knob}`, place });
  const only = (...known: string[]): void =>
    refuseUnknownKnobs(Object(next), known, `${place}: pages()`, 'next');
  const end = total === undefined ? undefined : pathOf(total, 'total');
  if (cursor !== undefined) {
    only('cursor', 'query');
    return { kind: 'cursor', at: pathOf(cursor, 'cursor'), ...varied(query, 'query') };
  }
  if (url !== undefined) {
    only('url');
    return { kind: 'url', at: pathOf(url, 'url') };
  }
  if (offset !== undefined) {
    only('offset', 'limit', 'total');
    varied(limit, 'limit');
    return { kind: 'offset', total: end, ...varied(offset, 'offset') };
  }
  if (page !== undefined) {
    only('page', 'total');
    return { kind: 'page', total: end, ...varied(page, 'page') };
  }
  throw new CompositionError(
    place,
    'pages(): next does not say how the list goes on. Use "link", { cursor: "next", query: ' +
      '"cursor" }, { url: "next" }, { offset: "offset", limit: "limit" } or { page: "page" }.',
  );
}

interface Knob {
  readonly knob: string;
  readonly place: string;
}

function checkedPath({ name, response }: Operation, text: unknown, { knob, place }: Knob): Path {
  const path = parsePath(text, `pages(): ${knob}`, place);
  if (mayHavePath(response, path)) return path;
  const fields = Object.keys(fieldsOf(response) ?? {});
  throw new CompositionError(
    place,
    `pages(): ${knob} is "${path.text}", which ${name} does not answer with. It has: ` +
      `${fields.join(', ') || 'no fields'}.`,
  );
}

function checkedName({ name, query }: Operation, given: unknown, { knob, place }: Knob): Varied {
  const fields = declaredFields(query);
  const field = typeof given === 'string' ? ownField(fields, given) : undefined;
  if (typeof given === 'string' && field !== undefined)
    return { argument: given, asText: kindOf(field, 'in') === 'string' };
  const known = Object.keys(fields).join(', ') || 'no query parameters';
  throw new CompositionError(
    place,
    `pages(): ${knob} is ${shownValue(given)}, which ${name} does not take. It takes: ${known}.`,
  );
}
