/** `oneOf` and `anyOf` → `z.union` and `z.discriminatedUnion`. */
import { chained, fields, generic, list, quoted, zod } from './code.ts';
import { print } from './print.ts';
import { child, children, keyOf, refOf, textAt, textsAt } from './document.ts';
import type { Document, Part } from './document.ts';
import { isNull, saysNothing } from './keywords.ts';
import type { Report } from './report.ts';
import { allowedValues, literals } from './scalars.ts';
import { allFields, plain, unknown, wrapped, written } from './zod.ts';
import type { Zod } from './zod.ts';

export interface UnionOptions {
  readonly document: Document;
  readonly report: Report;
  readonly of: (schema: Part) => Zod;
}

/** The union of the members of `oneOf` or `anyOf`, if there are any. */
export function unionOf(
  schema: Part,
  keyword: 'oneOf' | 'anyOf',
  { document, report, of }: UnionOptions,
): readonly Zod[] {
  const all = children(child(schema, keyword));
  if (all.length === 0) return [];
  const members = all.filter((member) => !isNull(member));
  if (members.some((member) => saysNothing(member) && textsAt(member, 'required').length > 0)) {
    report.note(`${schema.pointer}/${keyword}`, `${keyword} of required fields is not checked`);
    return [];
  }
  const zods = members.map((member) => of(member));
  return [discriminated(schema, members, { zods, document }) ?? anyOf(zods)];
}

/** `z.discriminatedUnion`, if each member is an object that says which one it is. */
function discriminated(
  schema: Part,
  members: readonly Part[],
  { zods, document }: { readonly zods: readonly Zod[]; readonly document: Document },
): Zod | undefined {
  const name = textAt(schema, 'discriminator', 'propertyName');
  if (name === undefined || members.length < 2) return undefined;
  const variants = zods.map((one, index) => {
    const member = members[index];
    return member === undefined ? undefined : variant(one, member, { schema, name, document });
  });
  if (variants.includes(undefined)) return undefined;
  const found = variants.filter((one) => one !== undefined);
  const types = found.map(({ type }) => type);
  const known = types.filter((type) => type !== undefined);
  return {
    ...plain(zod('discriminatedUnion', quoted(name), list(found.map(({ code }) => code)))),
    type:
      known.length === types.length
        ? generic('z.ZodDiscriminatedUnion', list(known), quoted(name))
        : undefined,
    isLazy: found.some(({ isLazy }) => isLazy),
  };
}

/** A member with its literal in the field `name`; `undefined` if that cannot be said. */
function variant(
  one: Zod,
  member: Part,
  { schema, name, document }: { schema: Part; name: string; document: Document },
): Zod | undefined {
  if (one.isNullable) return undefined;
  const target = document.follow(member);
  if (hasLiteral(target, name, document)) return one.object === undefined ? undefined : one;
  if (one.object === undefined || refOf(member) === undefined) return undefined;
  const code = literals(valuesOf(schema, target));
  if (code === undefined) return undefined;
  const field = { name, zod: { ...plain(code), isLiteral: true }, isRequired: true };
  const extended = chained(one.code, 'extend', fields({ name, value: code }));
  return {
    ...plain(extended),
    object: { ...one.object, base: [{ code: extended, isLazy: false }], own: [field] },
  };
}

/** Whether the field of an object says which values it may have. */
function hasLiteral(target: Part, name: string, document: Document, depth = 0): boolean {
  if (depth > 8) return false;
  const field = child(target, 'properties', name);
  const isRequired = textsAt(target, 'required').includes(name);
  if (field !== undefined && isRequired && allowedValues(document.follow(field)) !== undefined)
    return true;
  return children(child(target, 'allOf')).some((member) =>
    hasLiteral(document.follow(member), name, document, depth + 1),
  );
}

/** The values by which the discriminator of a union names a schema. */
function valuesOf(schema: Part, target: Part): readonly Part[] {
  const mapped = children(child(schema, 'discriminator', 'mapping')).filter(({ value }) => {
    const ref = String(value);
    return ref === target.pointer || ref === keyOf(target);
  });
  if (mapped.length > 0) return mapped.map(({ key, pointer }) => ({ value: key, pointer }));
  return [{ value: keyOf(target), pointer: target.pointer }];
}

/** Those with more fields are tried first: an object fits those with fewer, and would lose some. */
export function anyOf(zods: readonly Zod[]): Zod {
  const sorted = zods.every(({ object }) => object !== undefined)
    ? zods.toSorted((a, b) => size(b) - size(a))
    : zods;
  const texts = sorted.map((one) => print(written(one, { isOptional: false })));
  const distinct = sorted.filter((_, index) => texts.indexOf(texts[index] ?? '') === index);
  const [only = unknown] = distinct;
  return distinct.length > 1 ? wrapped('union', ...distinct) : only;
}

/** Required fields count most: they tell schemas apart. */
function size({ object }: Zod): number {
  const all = object === undefined ? [] : allFields(object);
  return all.length + 1_000 * all.filter(({ isRequired }) => isRequired).length;
}
