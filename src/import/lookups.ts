/**
 * Lookups are recognised where a list parameter and a list of objects with that field meet:
 * `GET /payments?orderIds=` and payments that have an `orderId`.
 */
import { fields, quoted } from './code.ts';
import type { Chain, Field } from './code.ts';
import { child, children, isTrueAt, numberAt, textAt } from './document.ts';
import type { Document, Part } from './document.ts';
import type { Endpoint } from './endpoints.ts';
import { propertiesOf } from './keywords.ts';
import { jsonAnswerOf, jsonSchemaOf } from './media.ts';
import type { Tools } from './tools.ts';
import { alike, singular } from './names.ts';
import { kindsOf, shapeOf } from './parameters.ts';
import type { Parameter } from './parameters.ts';
import { pageSizeOf } from './page-size.ts';
import type { PageSize } from './page-size.ts';
import { hasRepeated, separatorOf } from './query.ts';
import type { Report } from './report.ts';
import { allowedValues } from './scalars.ts';
import { allFields, objectOf, written } from './zod.ts';
import type { Zod } from './zod.ts';

export interface FoundLookup {
  /** The options that say where keys go and how items are matched. */
  readonly options: readonly Field[];
  /** The field of an item that holds its key. */
  readonly by: string;
  /** The parameters that are no arguments: they have the keys, or their number. */
  readonly replaced: readonly (Parameter | undefined)[];
  /** Whether the endpoint answers without keys, too. */
  readonly isAlsoList: boolean;
}

/** Where keys may go. */
interface Keys {
  readonly name: string;
  readonly place: Field;
  readonly schema: Part;
  readonly parameter: Parameter | undefined;
  readonly isRequired: boolean;
  readonly more: readonly Field[];
}

/** A list of objects in an answer. */
interface Items {
  readonly path: readonly string[];
  readonly item: Part;
}

export function lookupOf(
  endpoint: Endpoint,
  parameters: readonly Parameter[],
  tools: Tools,
): FoundLookup | undefined {
  const lists = itemsOf(jsonAnswerOf(endpoint.operation, tools), tools.document);
  if (lists.length === 0) return undefined;
  for (const keys of keysOf(endpoint, parameters, tools)) {
    for (const { path, item } of lists) {
      const by = fieldFor(keys, item, tools);
      if (by === undefined || isTaken(by, parameters, keys)) continue;
      const zod = tools.schemas.of(item, 'response');
      if (zod.object === undefined || zod.isNullable) continue;
      return found({ keys, path, by, zod }, endpoint, parameters, tools);
    }
  }
  return undefined;
}

function found(
  { keys, path, by, zod }: { keys: Keys; path: readonly string[]; by: string; zod: Zod },
  endpoint: Endpoint,
  parameters: readonly Parameter[],
  { document, report }: Tools,
): FoundLookup {
  const item = written(zod, { isOptional: false });
  const isOwn = isOwnKey(by, item);
  const page = pageSizeOf(parameters, document);
  if (!isOwn) noteLists(keys, by, { endpoint, page, report });
  // With `many`, the number of keys bounds no items.
  const limited = isOwn && page?.largest !== undefined ? page : undefined;
  const most = Math.min(
    numberAt(keys.schema, 'maxItems') ?? 100,
    (isOwn ? (page?.largest ?? page?.usual) : undefined) ?? 100,
  );
  return {
    by,
    replaced: [keys.parameter, limited?.parameter],
    isAlsoList: !keys.isRequired,
    options: [
      keys.place,
      { name: 'by', value: quoted(by) },
      ...(path.length > 0 ? [{ name: 'items', value: quoted(path.join('.')) }] : []),
      { name: 'item', value: item },
      ...(isOwn ? [] : [{ name: 'many', value: 'true' }]),
      ...(most < 100 ? [{ name: 'max', value: String(Math.max(1, most)) }] : []),
      ...limitOf(limited),
      ...keys.more,
    ],
  };
}

/** Asks for as many items as there are keys. */
function limitOf(page: PageSize | undefined): readonly Field[] {
  if (page === undefined) return [];
  const query = { name: 'query', value: quoted(page.parameter.name) };
  return [{ name: 'limit', value: fields(query) }];
}

interface ListsNote {
  readonly endpoint: Endpoint;
  readonly page: PageSize | undefined;
  readonly report: Report;
}

function noteLists({ schema }: Keys, by: string, { endpoint, page, report }: ListsNote): void {
  report.note(
    schema.pointer,
    `a lookup by "${by}": it is not known whether a key has several items, so each has a list`,
  );
  if (page?.usual === undefined) return;
  const detail = `answers have at most ${page.usual} items by default: lists of a lookup may be cut`;
  report.note(endpoint.operation.pointer, detail);
}

/** Whether each key has one item at most: `id`, or `paymentId` of a `Payment`. */
function isOwnKey(by: string, item: Chain | string): boolean {
  if (/^(?:id|uuid|guid|key|slug|sku)$/i.test(by)) return true;
  return typeof item === 'string' && alike(by) === alike(`${item}Id`);
}

/** The lists of objects in an answer: itself, or in its properties. */
function itemsOf(schema: Part | undefined, document: Document, depth = 0): readonly Items[] {
  if (schema === undefined) return [];
  const part = document.follow(schema);
  const item = child(part, 'items');
  if (item !== undefined) return shapeOf(item, document) === 'object' ? [{ path: [], item }] : [];
  if (depth > 1) return [];
  return children(child(part, 'properties'))
    .filter(({ key }) => !key.includes('.'))
    .flatMap((property) =>
      itemsOf(property, document, depth + 1).map(({ path, item: inner }) => ({
        path: [property.key, ...path],
        item: inner,
      })),
    );
}

function keysOf(
  { method, operation, path }: Endpoint,
  parameters: readonly Parameter[],
  tools: Tools,
): readonly Keys[] {
  if (method === 'GET')
    return parameters.flatMap((parameter) => keysInQuery(parameter, parameters, tools));
  return method === 'POST' && isRead(operation, path) ? keysInBody(operation, tools) : [];
}

function keysInQuery(
  parameter: Parameter,
  parameters: readonly Parameter[],
  { document }: Tools,
): readonly Keys[] {
  const { name, schema, isRequired, part } = parameter;
  if (parameter.in !== 'query' || schema === undefined) return [];
  const list = document.follow(schema);
  const separator = separatorOf(parameter);
  const isList = shapeOf(list, document) === 'list' && /^(?:repeat|,)$/.test(separator);
  // Older documents describe a list of ids as a text.
  const isText =
    textAt(list, 'type') === 'string' &&
    /comma[- ](?:separated|delimited)/i.test(textAt(part, 'description') ?? '');
  if (!isList && !isText) return [];
  const style = [{ name: 'query', value: quoted(name) }];
  const isRepeated = isList && separator === 'repeat';
  // Keys are written as the other lists are, unless they say it themselves.
  if (isRepeated || hasRepeated(parameters, document))
    style.push({ name: 'repeat', value: String(isRepeated) });
  const place = { name: 'keys', value: fields(...style) };
  return [{ name, place, schema: list, parameter, isRequired, more: [] }];
}

/** A POST may change something: its path or id has to say that it does not. */
function isRead(operation: Part, path: string): boolean {
  const texts = [path.split(/[/:]/).at(-1) ?? '', textAt(operation, 'operationId') ?? ''];
  return texts.some((text) =>
    /(?:^|[^a-z])(?:batch_?-?)?(?:get|search|lookup|query|find|list|fetch)/i.test(text),
  );
}

function keysInBody(operation: Part, tools: Tools): readonly Keys[] {
  const { document } = tools;
  const declared = child(operation, 'requestBody');
  const content = declared && child(document.follow(declared), 'content');
  const schema = jsonSchemaOf(content, tools);
  if (schema === undefined) return [];
  const body = document.follow(schema);
  return children(child(body, 'properties')).flatMap((property) => {
    const list = document.follow(property);
    if (property.key.includes('.') || shapeOf(list, document) !== 'list') return [];
    const { object } = tools.schemas.of(body, 'request');
    if (object === undefined || object.base !== undefined) return [];
    const others = object.own.filter(({ name }) => name !== property.key);
    const rest = objectOf({ ...object, own: others });
    const isNeeded = others.some(({ isRequired }) => isRequired);
    const more = isNeeded ? [{ name: 'body', value: written(rest, { isOptional: false }) }] : [];
    const place = { name: 'keys', value: fields({ name: 'body', value: quoted(property.key) }) };
    const isRequired = true;
    return [{ name: property.key, place, schema: list, parameter: undefined, isRequired, more }];
  });
}

/** The field of an item that the name of a list parameter means. */
function fieldFor({ name, schema }: Keys, item: Part, tools: Tools): string | undefined {
  const { document } = tools;
  const items = child(schema, 'items');
  if (items !== undefined && allowedValues(document.follow(items)) !== undefined) return undefined;
  const base = singular(name.replace(/\[\]$/, ''));
  const { object } = tools.schemas.of(item, 'response');
  const candidates = object === undefined ? [] : allFields(object);
  const field = candidates.find((one) => alike(one.name) === alike(base));
  if (field === undefined || !field.isRequired || field.zod.isNullable) return undefined;
  const property = propertiesOf(item, document).find(({ key }) => key === field.name);
  const isKey =
    property !== undefined &&
    // Values that are known beforehand are a filter.
    allowedValues(document.follow(property)) === undefined &&
    !isTrueAt(property, 'nullable') &&
    kindsOf(property, document).every((kind) => ['string', 'integer', 'number'].includes(kind)) &&
    kindsOf(property, document).length === 1;
  return isKey && !field.name.includes('.') ? field.name : undefined;
}

/** Whether an argument of the key's name exists already. */
function isTaken(by: string, parameters: readonly Parameter[], { parameter, more }: Keys): boolean {
  const others = parameters.filter((one) => one !== parameter && one.in !== 'header');
  return (
    others.some(({ name }) => name === by) || (by === 'body' && more.length > 0) || by === 'headers'
  );
}
