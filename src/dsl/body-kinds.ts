/** The words for bodies other than `application/json`: `json`, `form`, `text`, `csv`, `bytes`, … */
import { z } from 'zod';
import { isBytes } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CompositionError } from '../errors.ts';
import { shownValue } from '../shown-value.ts';
import { itemOf, unwrapped } from '../schema.ts';
import { defOf, inputsOf, isCoerced } from '../schema-parts.ts';
import { textFormOf } from '../text-form.ts';
import { loadXmlParser } from '../xml.ts';
import { withArticle } from '../shown-value.ts';
import { withKind } from './body-kind.ts';
import { refuseUnknownKnobs } from './knobs.ts';

export type { Bytes };

/**
 * A JSON body of another type than `application/json`, which is sent as `Content-Type`, or as
 * `Accept`.
 *
 * @example
 * const patch = operation(orders, {
 *   route: 'PATCH /orders/:id',
 *   body: json(Change, 'application/merge-patch+json'),
 *   response: Order,
 * });
 */
export function json<S extends z.ZodType>(schema: S, type: string): S {
  if (!isJsonType(type))
    throw new CompositionError(
      'json()',
      `its second argument is not a type of JSON. Write one, as in "application/merge-patch+json".`,
    );
  return withKind(schema, { kind: 'json', type, accept: type });
}

/** With parameters, like `application/json;odata.metadata=none`; without those that end a type. */
function isJsonType(type: unknown): type is string {
  const pattern =
    /^application\/(?:[\w.!#$&^-]+\+)?json(?: *; *[\w.-]+=(?:[\w./:-]+|"[\w ./:-]*"))*$/i;
  return typeof type === 'string' && pattern.test(type);
}

/**
 * A body of names and values (`application/x-www-form-urlencoded`). A list repeats its name;
 * `undefined` and `null` leave one out. Values that are read are texts, as in a query.
 *
 * @example
 * const search = operation(legacy, {
 *   route: 'POST /search', body: form(z.object({ q: z.string() })), response: Found, safe: true,
 * });
 */
export function form<S extends z.ZodObject>(schema: S): S {
  const type = 'application/x-www-form-urlencoded';
  return withKind(fieldsFor('form', schema), { kind: 'form', type, accept: type });
}

/**
 * A body that is a text, of any type.
 *
 * @example
 * const getTerms = operation(files, { route: 'GET /terms.txt', response: text() });
 */
export function text(): z.ZodString {
  return withKind(z.string(), {
    kind: 'text',
    type: 'text/plain; charset=utf-8',
    accept: 'text/plain, text/*;q=0.9, */*;q=0.8',
  });
}

/** The form of a table. */
export interface CsvOptions {
  /** One character. Default `,`. */
  readonly separator?: string;
  /**
   * Whether the first line has the names of the columns. `false`: they are the fields of the
   * schema, in its order. Default `true`.
   */
  readonly header?: boolean;
}

/**
 * A body of comma-separated values (RFC 4180): a list of rows, whose fields are read as texts. An
 * empty field without quotation marks is absent where the schema says `.optional()`.
 *
 * @example
 * const rates = operation(bank, {
 *   route: 'GET /rates.csv',
 *   response: csv(z.object({ currency: z.string(), rate: z.coerce.number() }), { separator: ';' }),
 * });
 */
export function csv<Row extends z.ZodObject>(row: Row, options: CsvOptions = {}): z.ZodArray<Row> {
  refuseUnknownKnobs(options, ['separator', 'header'], 'csv()');
  const { separator = ',', header = true } = options;
  if (!(row instanceof z.ZodObject))
    throw new CompositionError(
      'csv()',
      'its first argument does not name columns. Use z.object(), as in ' +
        'csv(z.object({ id: z.string() })).',
    );
  if (typeof separator !== 'string' || !/^[^"\r\n]$/.test(separator))
    throw new CompositionError(
      'csv()',
      'separator is not a single character. Write one, as in ";".',
    );
  if (typeof header !== 'boolean')
    throw new CompositionError('csv()', `header is ${shownValue(header)}. Use true or false.`);
  if (!header && Object.keys(row.shape).length === 0)
    throw new CompositionError('csv()', 'header is false, so the schema has to name the columns.');
  const type = separator === '\t' ? 'text/tab-separated-values' : 'text/csv';
  return withKind(z.array(row), {
    kind: 'csv',
    separator,
    header,
    type: `${type}; charset=utf-8`,
    accept: type,
  });
}

/**
 * A body of any type that is passed on as it is: as the whole response of a composition, or as the
 * body of another call. It is held in memory, within `maxBodyBytes`.
 *
 * @example
 * const getInvoice = operation(invoices, { route: 'GET /invoices/:id.pdf', response: bytes() });
 */
export function bytes(): z.ZodType<Bytes, Bytes> {
  return withKind(z.custom<Bytes>(isBytes), {
    kind: 'bytes',
    type: 'application/octet-stream',
    accept: '*/*',
  });
}

/**
 * A body of parts (`multipart/form-data`), which only requests have. Fields are those of a form, or
 * files of another service, whose schema is `bytes()`.
 *
 * @example
 * const upload = operation(archive, {
 *   route: 'POST /documents',
 *   body: multipart(z.object({ title: z.string(), file: bytes() })),
 *   response: Document,
 * });
 */
export function multipart<S extends z.ZodObject>(schema: S): S {
  const type = 'multipart/form-data';
  return withKind(fieldsFor('multipart', schema), { kind: 'multipart', type, accept: type });
}

/**
 * A body of XML: an object with one field, the root element. Everything in it is text. `@id` is an
 * attribute, `#text` the text of an element that has attributes, and a list repeats an element. A
 * document with a DTD is refused. Needs the package `saxes`.
 *
 * @example
 * const getOrder = operation(legacy, {
 *   route: 'GET /orders/:id.xml',
 *   response: xml(z.object({ order: z.object({ '@id': z.string(), line: z.array(z.string()) }) })),
 * });
 */
export function xml<S extends z.ZodObject>(schema: S): S {
  requireXmlParser();
  return withKind(fieldsFor('xml', schema), {
    kind: 'xml',
    type: 'application/xml; charset=utf-8',
    accept: 'application/xml, text/xml;q=0.9',
  });
}

/** @throws CompositionError where it is not installed; `load` imports it. */
export function requireXmlParser(load?: (name: string) => unknown): void {
  try {
    loadXmlParser(load);
  } catch (cause) {
    throw new CompositionError(
      'xml()',
      'the package saxes is not installed. Install it: npm install saxes.',
      { cause },
    );
  }
}

/** @throws CompositionError for a part of an answer in XML that no text can fit. */
export function refuseUnreadableXml(option: string, schema: z.ZodType, place: string): void {
  for (const part of inputsOf(schema)) {
    const def = defOf(part);
    if (isCoerced(def) || !['number', 'bigint', 'boolean', 'date'].includes(def.type)) continue;
    throw new CompositionError(
      place,
      `${option} expects ${withArticle(def.type)} in it, but all of XML arrives as text. Use ` +
        'z.coerce, as in z.coerce.number(), or z.stringbool().',
    );
  }
}

function fieldsFor<S extends z.ZodObject>(word: string, schema: S): S {
  if (schema instanceof z.ZodObject) return schema;
  throw new CompositionError(
    `${word}()`,
    'its argument does not name fields. Use z.object(), as in ' +
      `${word}(z.object({ q: z.string() })).`,
  );
}

/** @throws CompositionError for a field of a form or row that is read, but that no text can fit. */
export function refuseUnreadableFields(
  option: string,
  fields: Readonly<Record<string, z.ZodType>>,
  { isForm, place }: { readonly isForm: boolean; readonly place: string },
): void {
  for (const [name, field] of Object.entries(fields)) {
    const arriving = textFormOf(field);
    if (arriving === 'text' || arriving === 'either' || (arriving === 'list' && isForm)) continue;
    const { type } = unwrapped((isForm ? itemOf(field, 'in') : undefined) ?? field, 'in').def;
    throw new CompositionError(
      place,
      `${option}.${name} expects ${withArticle(type)}, but arrives as text. Use z.coerce, as in ` +
        'z.coerce.number(), or z.stringbool().',
    );
  }
}
