/** The query of an operation: its parameters as fields, and the style that writes all of them. */
import { chained, fields, quoted, zod } from './code.ts';
import type { Field } from './code.ts';
import { child, children, textAt } from './document.ts';
import type { Document, Part } from './document.ts';
import type { Endpoint } from './endpoints.ts';
import { isComposite, typesOf } from './keywords.ts';
import type { Tools } from './tools.ts';
import { parametersOf, shapeOf } from './parameters.ts';
import type { FieldOrProblem, Parameter } from './parameters.ts';
import { plain, written } from './zod.ts';
import type { Zod } from './zod.ts';

/** The `queryStyle` of an operation or service; `undefined` where there is nothing to be written. */
export interface Style {
  readonly arrays: 'repeat' | 'comma' | 'brackets' | undefined;
  readonly objects: 'brackets' | undefined;
}

/** How a parameter is written; `tags[]` with a parameter for each value is a list in brackets. */
type Way = 'single' | NonNullable<Style['arrays']> | 'delimited' | 'object' | 'unknown';

/** A list in a query: its separator, or `repeat` for a parameter of each value. */
export function separatorOf({ part }: Parameter): 'repeat' | ',' | ' ' | '|' {
  const style = textAt(part, 'style') ?? 'form';
  const explode = child(part, 'explode')?.value ?? style === 'form';
  if (explode === true) return 'repeat';
  return style === 'spaceDelimited' ? ' ' : style === 'pipeDelimited' ? '|' : ',';
}

function wayOf(parameter: Parameter, document: Document): Way {
  const { name, part, schema } = parameter;
  if (schema === undefined) return 'unknown';
  const shape = shapeOf(schema, document);
  const isDeep = textAt(part, 'style') === 'deepObject';
  if (shape === 'text') return 'single';
  if (shape === 'object') return isDeep && isFlat(schema, document) ? 'object' : 'unknown';
  if (isDeep) return 'unknown';
  const separator = separatorOf(parameter);
  if (separator !== 'repeat') return separator === ',' ? 'comma' : 'delimited';
  return name.endsWith('[]') && shape === 'list' ? 'brackets' : 'repeat';
}

/** Whether an object has single values only: `deepObject` does not say how others are written. */
function isFlat(schema: Part, document: Document): boolean {
  const part = document.follow(schema);
  if (isComposite(part) || typesOf(part).join() !== 'object') return false;
  const properties = children(child(part, 'properties'));
  const further = child(part, 'additionalProperties');
  const values = further === undefined ? properties : [...properties, further];
  return (
    values.every((value) => shapeOf(value, document) === 'text') &&
    !properties.some(({ key }) => hasBrackets(key))
  );
}

function hasBrackets(name: string): boolean {
  return /[[\]]/.test(name);
}

/**
 * One operation has one style: lists between commas beside repeated ones are joined by a transform,
 * and names keep their brackets where not all lists have them. The keys of a lookup are written as
 * its lists are, so that brackets of others would be theirs, too.
 */
export function styleOf(
  parameters: readonly Parameter[],
  { document, isLookup, taken }: StyleOptions,
): Style {
  const all = parameters.map((one) => ({ name: one.name, way: wayOf(one, document) }));
  const lists = all.filter(({ way }) => isOfLists(way));
  const isAll = (way: Way): boolean => lists.length > 0 && lists.every((one) => one.way === way);
  const bare = all.map(({ name, way }) => (way === 'brackets' ? withoutBrackets(name) : name));
  const isClear = new Set(bare).size === bare.length && !bare.some((one) => taken.includes(one));
  const inBrackets = isAll('brackets') && isClear && !bare.some(hasBrackets) && !isLookup;
  const ofLists = inBrackets ? 'brackets' : isAll('comma') ? 'comma' : 'repeat';
  const arrays = lists.length === 0 ? undefined : ofLists;
  const names = inBrackets ? bare : all.map(({ name }) => name);
  const hasObject = all.some(({ way }) => way === 'object') && !names.some(hasBrackets);
  return { arrays, objects: hasObject ? 'brackets' : undefined };
}

/**
 * The style of the service: commas, if most of the operations with lists have them, and not only
 * one. Brackets are no style of a service, since they forbid names that other operations may have.
 */
export function sharedStyleOf(endpoints: readonly Endpoint[], document: Document): Style {
  const styles = endpoints.map(({ pathItem, operation }) => {
    const all = parametersOf(pathItem, operation, document).filter((one) => one.in === 'query');
    return styleOf(all, { document, isLookup: false, taken: [] }).arrays;
  });
  const withLists = styles.filter((arrays) => arrays !== undefined);
  const { length } = withLists.filter((arrays) => arrays === 'comma');
  const isShared = length > 1 && length > withLists.length / 2;
  return { arrays: isShared ? 'comma' : undefined, objects: undefined };
}

/** Whether lists in a query repeat their name, so that an operation has that style. */
export function hasRepeated(parameters: readonly Parameter[], document: Document): boolean {
  return parameters.some((one) => one.in === 'query' && wayOf(one, document) === 'repeat');
}

function isOfLists(way: Way): boolean {
  return way === 'repeat' || way === 'comma' || way === 'brackets';
}

interface StyleOptions {
  readonly document: Document;
  readonly isLookup: boolean;
  /** The names of other arguments. */
  readonly taken: readonly string[];
}

function withoutBrackets(name: string): string {
  return name.slice(0, -'[]'.length);
}

/** The option, without what is the default, or as the service has it. */
export function toStyleOption({ arrays, objects }: Style, shared?: Style): readonly Field[] {
  const isDefault = arrays === undefined || arrays === (shared?.arrays ?? 'repeat');
  const own = [
    ...(isDefault ? [] : [{ name: 'arrays', value: quoted(arrays) }]),
    ...(objects === undefined ? [] : [{ name: 'objects', value: quoted(objects) }]),
  ];
  return own.length === 0 ? [] : [{ name: 'queryStyle', value: fields(...own) }];
}

/** A parameter as a field of `query`, or why it cannot be one. */
export function queryField(parameter: Parameter, style: Style, tools: Tools): FieldOrProblem {
  const { schema, isRequired } = parameter;
  if (schema === undefined) return { problem: 'its value is a document of its own' };
  const way = wayOf(parameter, tools.document);
  const problem = problemOf(parameter, way, style, tools.document);
  if (problem !== undefined) return { problem };
  const one = { ...tools.schemas.of(schema, 'request'), isNullable: false };
  const isBracketed = way === 'brackets' && style.arrays === 'brackets';
  const name = isBracketed ? withoutBrackets(parameter.name) : parameter.name;
  const isJoined = way === 'delimited' || (way === 'comma' && style.arrays !== 'comma');
  const value = isJoined ? joined(parameter, one, tools) : one;
  return { field: { name, value: written(value, { isOptional: !isRequired }) } };
}

function problemOf(
  { schema }: Parameter,
  way: Way,
  { objects }: Style,
  document: Document,
): string | undefined {
  if (way === 'object' && objects === undefined)
    return 'its value is an object, and other names have brackets, too';
  if (way !== 'unknown' || schema === undefined) return undefined;
  const isObject = shapeOf(schema, document) === 'object';
  return isObject ? 'its value is an object' : 'its value is a list in a style for objects';
}

/** A list that is written as a text, which is the argument itself if it may be one. */
function joined(parameter: Parameter, one: Zod, { document, report }: Tools): Zod {
  const { part, name, schema } = parameter;
  const separator = separatorOf(parameter);
  if (separator !== ',')
    report.note(
      part.pointer,
      `parameter "${name}": no style writes ${quoted(separator)} between values: a transform does`,
    );
  if (schema !== undefined && shapeOf(schema, document) === 'mixed') return plain(zod('string'));
  return plain(chained(one.code, 'transform', `(values) => values.join(${quoted(separator)})`));
}
