/** Reads zod schemas: their fields, and whether values can be absent or `null`. */
import { z } from 'zod';
import { isCoerced } from './schema-parts.ts';

/** The side of a schema that transforms: its input or its output. */
export type Side = 'in' | 'out';

/** A schema without wrappers that leave its fields as they are. */
export function unwrapped(schema: z.ZodType, side: Side = 'out'): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return unwrapped(inner(schema), side);
  if (schema instanceof z.ZodExactOptional) return unwrapped(inner(schema), side);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return unwrapped(inner(schema), side);
  if (schema instanceof z.ZodReadonly || schema instanceof z.ZodCatch)
    return unwrapped(inner(schema), side);
  if (schema instanceof z.ZodNonOptional) return unwrapped(inner(schema), side);
  if (schema instanceof z.ZodLazy) return unwrapped(asZod(schema.unwrap()), side);
  if (schema instanceof z.ZodPipe) return unwrapped(asZod(schema[side]), side);
  return schema;
}

/** The schema at the end of `path`; `undefined` if it is not declared. */
export function schemaAt(schema: z.ZodType, path: readonly string[]): z.ZodType | undefined {
  let current: z.ZodType | undefined = schema;
  for (const key of path) {
    current = current && ownField(fieldsOf(current), key);
  }
  return current;
}

/** A declared field. Inherited ones, like `constructor`, are not declared. */
export function ownField(
  fields: Readonly<Record<string, z.ZodType>> | undefined,
  key: string,
): z.ZodType | undefined {
  return fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** The fields of an object schema; `undefined` if they are not all known. */
export function fieldsOf(
  schema: z.ZodType,
  side?: Side,
): Readonly<Record<string, z.ZodType>> | undefined {
  const bare = unwrapped(schema, side);
  return bare instanceof z.ZodObject && isStrictlyKnown(bare) ? asShape(bare.shape) : undefined;
}

/** The fields that an object schema declares; it may take others, too. */
export function declaredFields(
  schema: z.ZodType | undefined,
  side?: Side,
): Readonly<Record<string, z.ZodType>> {
  const bare = schema && unwrapped(schema, side);
  return bare instanceof z.ZodObject ? asShape(bare.shape) : {};
}

/** Whether a schema coerces texts to numbers or dates, and so an empty one to a zero or the like. */
export function coercesEmptyText(field: z.ZodType): boolean {
  const { def } = unwrapped(field, 'in');
  return isCoerced(def) && ['number', 'bigint', 'date'].includes(def.type);
}

/** The schema of the items of an array schema. */
export function itemOf(schema: z.ZodType, side?: Side): z.ZodType | undefined {
  const bare = unwrapped(schema, side);
  return bare instanceof z.ZodArray ? asZod(bare.element) : undefined;
}

/** The path with `*` for keys that the schema does not declare: they come from the value. */
export function declaredPath(schema: z.ZodType, path: readonly PropertyKey[]): PropertyKey[] {
  let current: z.ZodType | undefined = schema;
  return path.map((key) => {
    const field: z.ZodType | undefined = current && ownField(fieldsOf(current), String(key));
    const isIndex = typeof key === 'number';
    current = isIndex ? current && itemOf(current) : field;
    return isIndex || field !== undefined ? key : '*';
  });
}

/** Whether a value may be left out. */
export function mayBeAbsent(schema: z.ZodType): boolean {
  return schema instanceof z.ZodExactOptional || schema.safeParse(undefined).success;
}

/**
 * Whether the schema says that a value may be missing. One that takes everything, like
 * `z.unknown()`, or coerces everything, does not say so.
 */
export function saysOptional(schema: z.ZodType): boolean {
  const { _zod: internals } = schema;
  if (!mayBeAbsent(schema)) return false;
  return internals.optin !== undefined || !schema.safeParse(Symbol()).success;
}

/** The kind of value, `string`, `number` and so on, if it is certain. */
export function kindOf(schema: z.ZodType, side?: Side): string | undefined {
  const { type } = unwrapped(schema, side).def;
  return ['string', 'number', 'boolean', 'object', 'array'].includes(type) ? type : undefined;
}

/** Whether the schema can produce `null`. */
export function mayBeNull(schema: z.ZodType): boolean {
  return schema instanceof z.ZodNullable || (isWrapper(schema) && mayBeNull(inner(schema)));
}

/** Whether the schema can produce `undefined`. */
export function mayBeUndefined(schema: z.ZodType): boolean {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodExactOptional) return true;
  return (
    (schema instanceof z.ZodNullable || schema instanceof z.ZodReadonly) &&
    mayBeUndefined(inner(schema))
  );
}

type Wrapper = z.ZodOptional | z.ZodExactOptional | z.ZodDefault | z.ZodReadonly;

function isWrapper(schema: z.ZodType): schema is Wrapper {
  return (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodReadonly
  );
}

// A catch-all (`z.looseObject`) passes on fields that the shape does not declare.
function isStrictlyKnown(schema: z.ZodObject): boolean {
  return schema.def.catchall === undefined || schema.def.catchall instanceof z.ZodNever;
}

function inner(schema: { readonly unwrap: () => unknown }): z.ZodType {
  return asZod(schema.unwrap());
}

// zod types the parts of a schema by their core, without methods; every schema made by `zod` has
// them.
function asZod(part: unknown): z.ZodType {
  return part as z.ZodType;
}

function asShape(shape: unknown): Readonly<Record<string, z.ZodType>> {
  return shape as Readonly<Record<string, z.ZodType>>;
}
