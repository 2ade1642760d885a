/** Kinds of bodies: how a schema notes that a body is something else than `application/json`. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { defOf, schemasIn } from '../schema-parts.ts';

/** How a body is written and read. */
export type BodyKind = Media &
  (
    | { readonly kind: 'json' }
    | { readonly kind: 'form' }
    | { readonly kind: 'text' }
    | { readonly kind: 'bytes' }
    | { readonly kind: 'multipart' }
    | { readonly kind: 'xml' }
    | CsvKind
  );

export interface CsvKind {
  readonly kind: 'csv';
  readonly separator: string;
  /** Whether the first line has the names of the columns. */
  readonly header: boolean;
}

export type BodyKindName = BodyKind['kind'];

interface Media {
  /** The `Content-Type` of a request with such a body. */
  readonly type: string;
  /** The `Accept` of a request whose answer is to have such a body. */
  readonly accept: string;
}

/** The kind of a schema that notes none. */
export const plainJson: BodyKind = Object.freeze({
  kind: 'json',
  type: 'application/json',
  accept: 'application/json',
});

/** In the definition of a schema, from where zod takes it into refined and extended copies. */
const noted = Symbol('body kind');

type Schema = z.core.$ZodType;
type Noting = { readonly [noted]?: BodyKind };

/**
 * A copy of a schema that notes a kind.
 *
 * @throws CompositionError for what is no schema, or has a kind already.
 */
export function withKind<S extends z.ZodType>(schema: S, kind: BodyKind): S {
  const place = `${kind.kind}()`;
  if (!(schema instanceof z.ZodType))
    throw new CompositionError(place, 'its first argument is not a schema. Use zod: z.object().');
  const other = noteIn(schema);
  if (other !== undefined)
    throw new CompositionError(
      place,
      `its schema is ${other.kind}() already. A body has one kind.`,
    );
  const def = Object.defineProperties({}, Object.getOwnPropertyDescriptors(schema.def));
  Object.defineProperty(def, noted, { value: Object.freeze(kind), enumerable: true });
  return schema.clone(def as S['def']); // it has all properties of one
}

/** The kind of the bodies that a schema describes. */
export function bodyKindOf(schema: z.ZodType | undefined): BodyKind {
  return (schema && noteIn(schema)) ?? plainJson;
}

/** Whether a schema is that of `bytes()`, or has it inside. */
export function hasBytes(schema: z.ZodType): boolean {
  return [...schemasIn(schema)].some((part) => noteOf(part)?.kind === 'bytes');
}

function noteIn(schema: Schema): BodyKind | undefined {
  const noting = notingIn(schema);
  return noting && noteOf(noting);
}

/** The part that notes the kind: below wrappers, and at either end of a pipe. */
function notingIn(schema: Schema): Schema | undefined {
  if (noteOf(schema) !== undefined) return schema;
  const def = defOf(schema);
  if ('innerType' in def) return notingIn(def.innerType);
  return def.type === 'pipe' ? (notingIn(def.in) ?? notingIn(def.out)) : undefined;
}

function noteOf(schema: Schema): BodyKind | undefined {
  return (defOf(schema) as Noting)[noted];
}

/** A kind as `explain` names it; `undefined` for plain JSON. */
export function shownKind(kind: BodyKind): string | undefined {
  if (kind.kind !== 'json') return kind.kind;
  return kind.type === plainJson.type ? undefined : kind.type;
}

/** Whether a part is a file in a `multipart()`. */
function isFile(part: Schema, whole: Schema | undefined): boolean {
  return (
    whole !== undefined && noteOf(whole)?.kind === 'multipart' && noteOf(part)?.kind === 'bytes'
  );
}

interface Allowed {
  /** The names of the kinds besides JSON, in the order of a message. */
  readonly kinds: readonly BodyKindName[];
  readonly place: string;
}

/** @throws CompositionError for a schema, or a part of one, whose kind cannot be there. */
export function refuseKinds(
  option: string,
  schema: z.ZodType | undefined,
  { kinds, place }: Allowed,
): void {
  if (!(schema instanceof z.ZodType)) return;
  const whole = notingIn(schema);
  const isAllowed = (one: Schema): boolean =>
    one === whole || noteOf(one) === undefined || isFile(one, whole);
  const part = [...schemasIn(schema)].find((one) => !isAllowed(one));
  const { kind = 'json' } = (part && noteOf(part)) ?? {};
  if (part !== undefined)
    throw new CompositionError(
      place,
      `${option} has ${kind}() inside another schema. A body has one kind: write ${kind}() ` +
        'around the whole.',
    );
  const found = noteIn(schema)?.kind;
  if (found === undefined || kinds.includes(found)) return;
  const words = kinds.map((name) => `${name}()`).join(', ');
  const rest = words === '' ? 'has no kind of body' : `is JSON, or one of ${words}`;
  throw new CompositionError(place, `${option} is ${found}(), but ${option} here ${rest}.`);
}
