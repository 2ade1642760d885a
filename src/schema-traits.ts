/** Facts about zod schemas that follow from the kinds of their parts. */
import type { z } from 'zod';
import { defOf, isCoerced, ownDefsOf } from './schema-parts.ts';
import type { Def } from './schema-parts.ts';

/**
 * Whether a schema reads only the fields it declares, to a fixed depth, and passes on nothing else
 * of its input. Not closed are objects that keep or reject unknown fields, schemas for any value,
 * and functions that see the input before it is parsed.
 */
export function isClosed(schema: z.ZodType): boolean {
  return everyPart(schema, ({ isClosed: ask = always }, def) => ask(def));
}

/**
 * Whether a function that zod generates parses exactly as the schema does: the schema contains no
 * function of its author, which would run twice for values that do not fit, and no part for which
 * generated code was found to differ.
 */
export function isGenerable(schema: z.ZodType): boolean {
  return everyPart(
    schema,
    ({ isGenerable: ask = always }, def, part) => ask(def) && hasPlainChecks(part),
  );
}

type Schema = z.core.$ZodType;

/** The facts of a kind. An absent question is answered by the parts of the schema. */
interface Kind<D = Def> {
  /** The schemas that parse the input or parts of it. */
  readonly parts?: (def: D) => readonly Schema[];
  readonly isClosed?: (def: D) => boolean;
  readonly isGenerable?: (def: D) => boolean;
}

const leaf = { isClosed: isUncoerced, isGenerable: isUncoerced };
const wrapper = { parts: ({ innerType }: { readonly innerType: Schema }) => [innerType] };
const foreign = { isClosed: never, isGenerable: never };

const kinds: { readonly [Type in Def['type']]: Kind<Extract<Def, { type: Type }>> } = {
  object: {
    parts: ({ shape, catchall }) => [...Object.values(shape), ...(catchall ? [catchall] : [])],
    isClosed: ({ shape, catchall }) => catchall === undefined && !namesDropped(shape),
  },
  array: { parts: ({ element }) => [element] },
  tuple: { parts: ({ items, rest }) => (rest === null ? items : [...items, rest]) },
  union: { parts: ({ options }) => options },
  record: { parts: ({ keyType, valueType }) => [keyType, valueType], isClosed: never },
  // If the results differ, zod throws even inside a union, where generated code tries the next
  // option.
  intersection: { parts: ({ left, right }) => [left, right], isGenerable: never },
  // The second part sees only the output of the first.
  pipe: { parts: (def) => [def.in], isGenerable: never },
  optional: wrapper,
  nullable: wrapper,
  nonoptional: wrapper,
  readonly: wrapper,
  success: { ...wrapper, isGenerable: never },
  // The default value may come from a function.
  default: { ...wrapper, isGenerable: never },
  prefault: { ...wrapper, isGenerable: never },
  string: leaf,
  number: leaf,
  boolean: leaf,
  bigint: leaf,
  date: leaf,
  null: {},
  undefined: {},
  void: {},
  never: {},
  nan: {},
  symbol: {},
  literal: {},
  enum: {},
  template_literal: {},
  any: { isClosed: never },
  unknown: { isClosed: never },
  map: foreign,
  set: foreign,
  file: foreign,
  transform: foreign,
  catch: foreign,
  lazy: foreign,
  promise: foreign,
  function: foreign,
  custom: foreign,
};

/** Whether the answer is yes for a schema and for all its parts. */
function everyPart(schema: Schema, ask: (kind: Kind, def: Def, part: Schema) => boolean): boolean {
  const around = new Set<Schema>();
  const done = new Set<Schema>();

  function visit(part: Schema): boolean {
    if (done.has(part)) return true;
    // A recursive schema has no fixed depth, and no function can be generated for it.
    if (around.has(part)) return false;
    around.add(part);
    const def = defOf(part);
    const kind = kinds[def.type] as Kind | undefined; // takes definitions of this kind
    const isYes =
      kind !== undefined && ask(kind, def, part) && (kind.parts?.(def) ?? []).every(visit);
    around.delete(part);
    done.add(part);
    return isYes;
  }

  return visit(schema);
}

/** The checks that zod itself provides. Any other may be a function of the schema's author. */
const plainChecks: ReadonlySet<string> = new Set([
  'greater_than',
  'less_than',
  'multiple_of',
  'number_format',
  'bigint_format',
  'min_length',
  'max_length',
  'length_equals',
  'string_format',
]);

function hasPlainChecks(schema: Schema): boolean {
  // The schema of a format, like `z.email()`, is a check as well.
  return ownDefsOf(schema).every(
    (def) => !('fn' in def) && (!('check' in def) || plainChecks.has(def.check)),
  );
}

function isUncoerced(def: object): boolean {
  return !isCoerced(def);
}

function always(): boolean {
  return true;
}

function never(): boolean {
  return false;
}

/** Whether a field is declared that `parseJson` drops, which the schema would see otherwise. */
function namesDropped(shape: object): boolean {
  return Object.hasOwn(shape, '__proto__') || Object.hasOwn(shape, 'constructor');
}
