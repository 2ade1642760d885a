/** `query` of an operation: refuses parameters that can never be written into a URL. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { declaredFields, itemOf, unwrapped } from '../schema.ts';
import { withArticle } from '../shown-value.ts';
import { mostLevels, reservedIn } from './query-style.ts';
import type { QueryStyle } from './query-style.ts';

/** Kinds of values that have no text in a query. A list has one where its items have. */
const unwritable: ReadonlySet<string> = new Set(['object', 'record', 'map', 'set', 'function']);

/** The kinds that `queryStyle.objects` writes. */
const nested: ReadonlySet<string> = new Set(['object', 'record']);

/**
 * @throws CompositionError for a parameter that is certainly an object that `style` does not write,
 * or a list of objects, and for a name that could be read as the place of another value.
 */
export function refuseUnwritableQuery(
  query: z.ZodType | undefined,
  style: QueryStyle,
  place: string,
): void {
  if (query instanceof z.ZodObject)
    checkFields(query, { style, place, path: ['query'], around: [query] });
}

interface Judging {
  readonly style: QueryStyle;
  readonly place: string;
  readonly path: readonly string[];
  /** The schemas that it is a part of: one that contains itself has no certain depth. */
  readonly around: readonly z.ZodType[];
}

function checkFields(object: z.ZodObject, judging: Judging): void {
  for (const [name, field] of Object.entries(declaredFields(object))) {
    refuseReserved(name, judging);
    checkField(field, { ...judging, path: [...judging.path, name] });
  }
}

function checkField(field: z.ZodType, judging: Judging): void {
  const { style, place, path } = judging;
  const item = itemOf(field);
  const bare = unwrapped(item ?? field);
  const { type } = bare.def;
  if (!unwritable.has(type) && !(item !== undefined && type === 'array')) return;
  const mayNest = item === undefined && nested.has(type);
  if (mayNest && style.objects !== undefined) {
    return checkObject(bare, judging);
  }
  throw new CompositionError(
    place,
    `${path.join('.')} is ${item === undefined ? '' : 'a list whose items are each '}` +
      `${withArticle(type)}, which cannot be written into a URL. Use z.string(), or a transform ` +
      `that gives text${mayNest ? ', or queryStyle: { objects: … }' : ''}.`,
  );
}

function checkObject(object: z.ZodType, judging: Judging): void {
  const { place, path, around } = judging;
  if (around.includes(object)) return;
  // The first name is `query`, and the second that of the parameter.
  if (path.length - 2 === mostLevels) {
    throw new CompositionError(
      place,
      `${path.join('.')} is nested deeper than ${mostLevels} levels, which no query can carry. ` +
        'Send it as a body.',
    );
  }
  if (object instanceof z.ZodObject)
    checkFields(object, { ...judging, around: [...around, object] });
}

function refuseReserved(name: string, { style, place, path }: Judging): void {
  const reserved = reservedIn(style);
  if (!reserved.some((one) => name.includes(one))) return;
  const characters = reserved.map((one) => JSON.stringify(one)).join(', ');
  throw new CompositionError(
    place,
    `${path.join('.')} has "${name}", but queryStyle writes ${characters} between names. Use ` +
      'names without them, in lists and objects.',
  );
}
