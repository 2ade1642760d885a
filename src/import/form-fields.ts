/** The fields of a form, and of a body in parts, which may be files. */
import { invoke, zod } from './code.ts';
import { child, children, isTrueAt, textAt } from './document.ts';
import type { Document, Part } from './document.ts';
import { isBinary, partsOf, propertiesOf, saysNothing } from './keywords.ts';
import type { Property } from './keywords.ts';
import { binary } from './media-types.ts';
import { shapeOf } from './parameters.ts';
import type { Tools } from './tools.ts';
import { objectOf, plain } from './zod.ts';
import type { ObjectField, Zod } from './zod.ts';

/** A body of fields, as its content describes it. */
interface Form {
  readonly kind: 'form' | 'multipart';
  readonly media: Part;
  readonly schema: Part;
}

/** A field, and why it cannot be sent: the rest of a sentence that begins with it. */
interface FormField {
  readonly property: Property;
  readonly isFile: boolean;
  readonly problem: string | undefined;
}

/**
 * The object that is sent, or why there is none. Fields that cannot be sent are left out, if they
 * may be.
 */
export function formFields(
  media: Part,
  kind: Form['kind'],
  tools: Tools,
): Zod | { readonly problem: string } {
  const { document, schemas } = tools;
  const schema = child(media, 'schema');
  if (schema === undefined) return { problem: 'its fields are not described' };
  const form = { kind, media, schema };
  const all = propertiesOf(schema, document).map((one) => fieldOf(one, form, document));
  const isPlain = all.every(({ isFile, problem }) => !isFile && problem === undefined);
  const whole = isPlain ? schemas.of(schema, 'request') : undefined;
  if (whole?.object !== undefined) return whole;
  const isOneObject = all.length > 0 && !hasAlternatives(schema, document);
  return isOneObject
    ? inline(all, form, tools)
    : { problem: 'its fields are not those of one object' };
}

/** Whether an object has other fields in each of its forms, not only other required ones. */
function hasAlternatives(schema: Part, document: Document): boolean {
  return partsOf(schema, document, ['allOf'])
    .flatMap((part) => [child(part, 'oneOf'), child(part, 'anyOf')])
    .some((members) => children(members).some((member) => !saysNothing(member)));
}

/** An object that stands in the operation, since its fields differ from those of the schema. */
function inline(
  all: readonly FormField[],
  { schema }: Form,
  { document, schemas, report }: Tools,
): Zod | { readonly problem: string } {
  const own: ObjectField[] = [];
  for (const { property, isFile, problem } of all) {
    const { key: name, pointer, isRequired } = property;
    if (isTrueAt(property, 'readOnly') || isTrueAt(document.follow(property), 'readOnly')) continue;
    if (problem !== undefined && isRequired) return { problem: `field "${name}" ${problem}` };
    if (problem === undefined) {
      const value = isFile ? fileOf(property, document) : schemas.of(property, 'request');
      own.push({ name, zod: value, isRequired });
    } else report.note(pointer, `field "${name}" of the body is left out: it ${problem}`);
  }
  for (const part of partsOf(schema, document, ['allOf'])) {
    const further = child(part, 'additionalProperties');
    if (further !== undefined && further.value !== false)
      report.note(further.pointer, 'fields that the document does not name are not sent');
  }
  return objectOf({ base: undefined, inherited: [], own });
}

function fieldOf(property: Property, form: Form, document: Document): FormField {
  const { kind, media } = form;
  const isFile = isFileIn(property, media, document);
  if (isFile) {
    const problem = kind === 'form' ? 'is a file, which a form cannot have' : undefined;
    return { property, isFile, problem };
  }
  return { property, isFile, problem: textProblem(property, media, document) };
}

/** Whether a field is a file, or a list of them, by its schema or by the type that it is sent as. */
function isFileIn(property: Property, media: Part, document: Document): boolean {
  const types = textAt(media, 'encoding', property.key, 'contentType')?.split(/ *, */) ?? [];
  return (
    [property, ...itemsOf(property, document)].some((one) => isBinary(one, document)) ||
    (types.length > 0 && types.every((type) => binary.test(type)))
  );
}

/** One file, or a list where there may be several. */
function fileOf(property: Part, document: Document): Zod {
  const file = plain(invoke('bytes'));
  return itemsOf(property, document).length > 0 ? plain(zod('array', file.code)) : file;
}

function itemsOf(property: Part, document: Document): readonly Part[] {
  return partsOf(property, document).flatMap((part) => child(part, 'items') ?? []);
}

/** Why a field cannot be sent as a text, or as several of its name. */
function textProblem(property: Property, media: Part, document: Document): string | undefined {
  const encoding = child(media, 'encoding', property.key);
  const shape = shapeOf(property, document);
  if (shape === 'object') return 'is an object';
  if (encoding === undefined) return undefined;
  if (/json|xml/i.test(textAt(encoding, 'contentType') ?? '')) return 'is a document of its own';
  const style = textAt(encoding, 'style') ?? 'form';
  const isRepeated = style === 'form' && child(encoding, 'explode')?.value !== false;
  return shape === 'text' || isRepeated ? undefined : 'is a list that is not repeated';
}
