/** Questions to a JSON Schema that its keywords answer. */
import { child, children, isTrueAt, textAt, textsAt } from './document.ts';
import type { Document, Part } from './document.ts';
import { textual } from './media-types.ts';
import { allowedValues } from './scalars.ts';

/** Keywords that have no counterpart: what they forbid is let through. */
export const unchecked = [
  'not',
  'if',
  'dependentSchemas',
  'dependentRequired',
  'patternProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
  'uniqueItems',
  'contains',
];

/** Whether it needs no name: a text, a number or a boolean, with any value. */
export function isSimple(schema: Part): boolean {
  if (saysNothing(schema)) return true;
  if (allowedValues(schema) !== undefined || isComposite(schema)) return false;
  return typesOf(schema).every((type) => !['array', 'object'].includes(type));
}

export function isComposite(schema: Part): boolean {
  return ['$ref', ...compositions].some((key) => child(schema, key) !== undefined);
}

const compositions = ['allOf', 'oneOf', 'anyOf'];

const ofArrays = ['items', 'prefixItems', 'minItems', 'maxItems'];
const ofObjects = ['properties', 'additionalProperties', 'patternProperties'];
const ofTexts = ['pattern', 'minLength', 'maxLength', 'format'];
const ofNumbers = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'];

/** Whether a schema says more than its type, besides what it refers to. */
export function saysMore(schema: Part): boolean {
  return [...ofArrays, ...ofObjects, ...ofTexts, ...ofNumbers].some(
    (keyword) => child(schema, keyword) !== undefined,
  );
}

/** Whether any value fits, but for required fields. */
export function saysNothing(schema: Part): boolean {
  if (typeof schema.value === 'boolean') return schema.value;
  const says = ['type', 'enum', 'const', 'required', 'nullable', ...unchecked];
  return (
    !isComposite(schema) &&
    !saysMore(schema) &&
    says.every((keyword) => keyword === 'required' || child(schema, keyword) === undefined)
  );
}

/** The types without `null`, or, if none is given, the one that its keywords are for. */
export function typesOf(schema: Part): readonly string[] {
  const { value } = child(schema, 'type') ?? {};
  const given = typeof value === 'string' ? [value] : textsAt(schema, 'type');
  const types = given.filter((type) => type !== 'null');
  if (given.length > 0) return types.length > 0 ? types : ['null'];
  const has = (keywords: readonly string[]): boolean =>
    keywords.some((keyword) => child(schema, keyword) !== undefined);
  if (has([...ofObjects, 'required'])) return ['object'];
  if (has(ofArrays)) return ['array'];
  if (has(ofNumbers)) return ['number'];
  return has(ofTexts) ? ['string'] : [];
}

export function isNull(schema: Part): boolean {
  return (
    textAt(schema, 'type') === 'null' ||
    child(schema, 'const')?.value === null ||
    JSON.stringify(child(schema, 'enum')?.value) === '[null]'
  );
}

export function isNullable(schema: Part): boolean {
  if (isTrueAt(schema, 'nullable')) return true;
  if (isNull(schema)) return false;
  const hasNull = ['oneOf', 'anyOf'].some((key) => children(child(schema, key)).some(isNull));
  const isAllowed = children(child(schema, 'enum')).some(({ value }) => value === null);
  return hasNull || isAllowed || textsAt(schema, 'type').includes('null');
}

/** A schema and those that it is composed of by some keywords, each once, from the outermost. */
export function partsOf(
  schema: Part,
  document: Document,
  keywords: readonly string[] = compositions,
): readonly Part[] {
  const found = new Map<string, Part>();
  const add = (one: Part): void => {
    const part = document.follow(one);
    if (found.has(part.pointer)) return;
    found.set(part.pointer, part);
    for (const keyword of keywords) children(child(part, keyword)).forEach(add);
  };
  add(schema);
  return [...found.values()];
}

export interface Property extends Part {
  readonly key: string;
  readonly isRequired: boolean;
}

/** The properties of an object, with those of the schemas in its `allOf`. */
export function propertiesOf(schema: Part, document: Document): readonly Property[] {
  const parts = partsOf(schema, document, ['allOf']);
  const required = new Set(parts.flatMap((part) => textsAt(part, 'required')));
  const found = new Map<string, Property>();
  for (const one of parts.flatMap((part) => children(child(part, 'properties'))))
    if (!found.has(one.key)) found.set(one.key, { ...one, isRequired: required.has(one.key) });
  return [...found.values()];
}

/** Whether a value, or one of its alternatives, is a file. */
export function isBinary(schema: Part, document: Document): boolean {
  return partsOf(schema, document).some(isFileContent);
}

/** `format: binary` (3.0), or `contentMediaType` without an encoding that makes text of it (3.1). */
function isFileContent(part: Part): boolean {
  if (textAt(part, 'format') === 'binary') return true;
  const type = textAt(part, 'contentMediaType');
  return type !== undefined && child(part, 'contentEncoding') === undefined && !textual.test(type);
}
