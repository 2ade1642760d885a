/** XML ⇄ values: the door to saxes, which is loaded only where a body is XML. */
import { createRequire } from 'node:module';
import type * as Saxes from 'saxes';
import type { z } from 'zod';
import { declaredFields, itemOf, coercesEmptyText, saysOptional, unwrapped } from './schema.ts';

/** A text or a value that is no XML. The message quotes nothing of it. */
export class NotXmlError extends Error {
  override readonly name = 'NotXmlError';
}

const installed: (name: string) => unknown = createRequire(import.meta.url);

let loaded: typeof Saxes | undefined;

/** Loads the package. Throws the error of Node if it is not installed. */
export function loadXmlParser(load: (name: string) => unknown = installed): typeof Saxes {
  if (load === installed && loaded !== undefined) return loaded;
  loaded = load('saxes') as typeof Saxes; // the package that its types are for
  return loaded;
}

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/**
 * A document as `schema` takes it: an object with the root element as its only field. All of it is
 * text. Attributes are fields that begin with `@`; the text beside them is `#text`. A document with
 * a DTD is refused, so there are no entities but those of XML itself.
 *
 * @throws NotXmlError for what is not well-formed or is nested deeper than `maxDepth`.
 */
export function parseXml(schema: z.ZodType, text: string, maxDepth: number): unknown {
  const document: Element = { name: '', attributes: {}, children: [], text: '' };
  read(text, document, maxDepth);
  return objectOf(document, schema);
}

function read(text: string, document: Element, maxDepth: number): void {
  const { SaxesParser } = loadXmlParser();
  const parser = new SaxesParser();
  const open = [document];
  const addText = (more: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += more;
  };
  parser.on('error', () => {
    throw new NotXmlError(`is not well-formed XML in line ${parser.line}`);
  });
  parser.on('doctype', () => {
    throw new NotXmlError('has a DTD, which is refused');
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length > maxDepth)
      throw new NotXmlError(`is XML that is nested deeper than ${maxDepth} levels (maxDepth)`);
    const element: Element = { name, attributes, children: [], text: '' };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => void open.pop());
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.write(text).close();
}

/** The value of an element for a schema that takes it. */
function valueOf(element: Element, schema: z.ZodType | undefined): unknown {
  const { type } = schema ? unwrapped(schema, 'in').def : { type: 'unknown' };
  const isText = element.children.length === 0 && type !== 'object';
  // Where the schema knows no fields, attributes say that there are some.
  const isPlain = !['unknown', 'any', 'record'].includes(type) || isBare(element);
  if (!isText || !isPlain) return objectOf(element, schema);
  return element.text === '' && schema && coercesEmptyText(schema) ? undefined : element.text;
}

function isBare({ attributes }: Element): boolean {
  return Object.keys(attributes).length === 0;
}

function objectOf({ attributes, children, text }: Element, schema: z.ZodType | undefined): object {
  const fields = declaredFields(schema, 'in');
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(attributes)) values.set(`@${name}`, value);
  if (text.trim() !== '') values.set('#text', text);
  for (const [name, same] of Map.groupBy(children, (child) => child.name)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const item = field && itemOf(field, 'in');
    const all = same.map((child) => valueOf(child, item ?? field));
    values.set(name, item !== undefined || all.length > 1 ? all : all[0]);
  }
  // An empty list has no element to say so.
  for (const [name, field] of Object.entries(fields))
    if (!values.has(name) && itemOf(field, 'in') && !saysOptional(field)) values.set(name, []);
  values.delete('__proto__');
  return Object.fromEntries(values);
}

/**
 * The document of an object with one field, the root element. Lists repeat an element; `undefined`
 * and `null` leave it out.
 *
 * @param textOf - The text of a single value.
 * @throws NotXmlError for names and characters that XML does not have.
 */
export function writeXml(value: unknown, textOf: (value: unknown) => string): string {
  const [root, ...others] = elementsOf(value, textOf);
  if (root === undefined || others.length > 0)
    throw new NotXmlError('has not exactly one field, the root element');
  return `<?xml version="1.0" encoding="UTF-8"?>${root}`;
}

type TextOf = (value: unknown) => string;

function elementsOf(value: unknown, textOf: TextOf): readonly string[] {
  return Object.entries(Object(value)).flatMap(([name, field]) =>
    [field]
      .flat()
      .filter((item) => item !== undefined && item !== null && !/^[@#]/.test(name))
      .map((item) => elementOf(checkedName(name), item, textOf)),
  );
}

function elementOf(name: string, value: unknown, textOf: TextOf): string {
  const isScalar = typeof value !== 'object' || value === null || value instanceof Date;
  if (isScalar) return `<${name}>${escaped(textOf(value))}</${name}>`;
  const attributes = Object.entries(value).map(([field, text]) =>
    field.startsWith('@') && text !== undefined && text !== null
      ? ` ${checkedName(field.slice(1))}="${escaped(textOf(text))}"`
      : '',
  );
  const { '#text': own } = value as { readonly '#text'?: unknown }; // any object may have one
  const text = own === undefined || own === null ? '' : escaped(textOf(own));
  return `<${name}${attributes.join('')}>${text}${elementsOf(value, textOf).join('')}</${name}>`;
}

/** Those of XML 1.0 (2.3), but for rare characters, with one colon at the most. */
function checkedName(name: string): string {
  if (/^[\p{L}_][\p{L}\p{N}_.-]*(?::[\p{L}_][\p{L}\p{N}_.-]*)?$/u.test(name)) return name;
  throw new NotXmlError('has a field whose name is not a valid name in XML');
}

/** Line ends and tabs would be changed where they are not escaped. */
function escaped(text: string): string {
  if (/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(text))
    throw new NotXmlError('has a character that XML does not have');
  return text.replaceAll(/[&<>"\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
