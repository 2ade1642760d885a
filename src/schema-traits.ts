/** What follows from the kinds of a schema and of its parts alone, before it has parsed anything. */
import type { z } from 'zod';

/**
 * Whether a schema reads only what it names, to a depth that it fixes, and hands on nothing else of its
 * input. Objects that keep or refuse unknown fields are not closed, nor is what may hold anything, nor
 * a function that sees the input before it is parsed.
 */
export function isClosed(schema: z.ZodType): boolean {
  return everyPart(schema, ({ isClosed: ask = always }, def) => ask(def));
}

/**
 * Whether zod can parse by a generated function and nobody could tell: the schema runs no function of
 * its author's, which would run twice on values that do not fit, and has no kind for which generated
 * code has been seen to differ.
 */
export function isGenerable(schema: z.ZodType): boolean {
  return everyPart(schema, ({ isGenerable: ask = always }, def) => ask(def) && hasPlainChecks(def));
}

type Schema = z.core.$ZodType;
type Def = z.core.$ZodTypes['_zod']['def'];

/** A kind of schema; a question that is left out is answered by the kind's parts. */
interface Kind<D = Def> {
  /** The schemas that parse parts of the input. */
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
  // zod throws where its two sides differ, in a union too; generated code tries the next option.
  intersection: { parts: ({ left, right }) => [left, right], isGenerable: never },
  // What comes out of its first part is all that the second one sees.
  pipe: { parts: (def) => [def.in], isGenerable: never },
  optional: wrapper,
  nullable: wrapper,
  nonoptional: wrapper,
  readonly: wrapper,
  success: { ...wrapper, isGenerable: never },
  // The default may be a function.
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

/** Whether the answer is yes for a schema and for all that it is made of. */
function everyPart(schema: Schema, ask: (kind: Kind, def: Def) => boolean): boolean {
  const around = new Set<Schema>();
  const done = new Set<Schema>();

  function visit(part: Schema): boolean {
    if (done.has(part)) return true;
    // A schema that is a part of itself fixes no depth, and no function can be generated for it.
    if (around.has(part)) return false;
    around.add(part);
    const { def } = part as unknown as { readonly def: Def }; // every schema made by `zod` has one
    const kind = kinds[def.type] as Kind | undefined; // takes definitions of this kind
    const isYes = kind !== undefined && ask(kind, def) && (kind.parts?.(def) ?? []).every(visit);
    around.delete(part);
    done.add(part);
    return isYes;
  }

  return visit(schema);
}

/** Checks that zod has of its own. Any other may be a function of the author's. */
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

function hasPlainChecks(def: Def): boolean {
  // A format is a kind of text and a check in one.
  const own = [def, ...(def.checks ?? []).map(({ _zod: internals }) => internals.def)];
  return own.every((one) => !('fn' in one) && (!('check' in one) || plainChecks.has(one.check)));
}

/** Coercion makes text, numbers or dates of whatever there is. */
function isUncoerced(def: { readonly coerce?: boolean }): boolean {
  return def.coerce !== true;
}

function always(): boolean {
  return true;
}

function never(): boolean {
  return false;
}

/** Whether it declares a field that `parseJson` drops, and so would see what it does not see there. */
function namesDropped(shape: object): boolean {
  return Object.hasOwn(shape, '__proto__') || Object.hasOwn(shape, 'constructor');
}
