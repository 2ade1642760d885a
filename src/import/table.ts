/** Tables: a list of rows whose columns are all named, and have single values. */
import { child, children } from './document.ts';
import type { Part } from './document.ts';
import { fromText } from './from-text.ts';
import { isComposite, isNullable, propertiesOf, typesOf } from './keywords.ts';
import { kindsOf, shapeOf } from './parameters.ts';
import { allowedValues } from './scalars.ts';
import type { Direction } from './where.ts';
import type { Tools } from './tools.ts';
import { objectOf, plain } from './zod.ts';
import type { ObjectField } from './zod.ts';
import type { Zod } from './zod.ts';

/** The row of `csv()`; `undefined` if the document leaves open what the columns are. */
export function rowOf(
  media: Part & { readonly key: string },
  direction: Direction,
  tools: Tools,
): Zod | undefined {
  const { document } = tools;
  const schema = child(media, 'schema');
  const items = schema && child(document.follow(schema), 'items');
  const isHeadless = /;\s*header\s*=\s*absent/i.test(media.key);
  if (items === undefined || isHeadless) return undefined;
  const row = document.follow(items);
  if (isComposite(row) || typesOf(row).join() !== 'object') return undefined;
  if (children(child(row, 'additionalProperties')).length > 0) return undefined;
  const columns = propertiesOf(row, document).map((column) => columnOf(column, direction, tools));
  const own = columns.filter((column) => column !== undefined);
  if (own.length === 0 || own.length < columns.length) return undefined;
  return objectOf({ base: undefined, inherited: [], own });
}

function columnOf(
  column: ReturnType<typeof propertiesOf>[number],
  direction: Direction,
  { document, schemas }: Tools,
): ObjectField | undefined {
  const part = document.follow(column);
  const [kind, ...others] = kindsOf(part, document);
  const reading = fromText(kind);
  const isOne = others.length === 0 && shapeOf(part, document) === 'text' && !isNullable(part);
  if (!isOne || reading === undefined) return undefined;
  const isText = kind === 'string';
  // Allowed numbers are no texts.
  if (!isText && direction === 'response' && allowedValues(part) !== undefined) return undefined;
  const isRead = direction === 'response' && !isText;
  const zod = isRead ? plain(reading) : schemas.of(column, direction);
  return { name: column.key, zod, isRequired: column.isRequired };
}
