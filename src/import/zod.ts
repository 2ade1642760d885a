/** A schema as it is written: code that makes a zod schema, and the facts by which it is joined. */
import { chained, fields, generic, list, zod } from './code.ts';
import type { Chain, Code, Field } from './code.ts';

export interface Zod {
  /** Without `.nullable()`. */
  readonly code: Chain | string;
  /** Its type, where that can be written: a getter needs one. */
  readonly type: Code | undefined;
  readonly isNullable: boolean;
  /** Whether it names a schema that is declared later. */
  readonly isLazy: boolean;
  /** Present for objects that can be extended. */
  readonly object?: ObjectFacts;
  /** Whether it is a list of allowed values, which may take the place of their kind. */
  readonly isLiteral?: boolean;
  /** Whether it is an object of which nothing else is said. */
  readonly isAnyObject?: boolean;
}

export interface ObjectFacts {
  /** The schemas that are extended; `undefined`: there are none. */
  readonly base: readonly Base[] | undefined;
  readonly inherited: readonly ObjectField[];
  /** The fields that stand here. */
  readonly own: readonly ObjectField[];
}

export interface Base {
  readonly code: Chain | string;
  /** Whether it has getters. */
  readonly isLazy: boolean;
}

export interface ObjectField {
  readonly name: string;
  readonly zod: Zod;
  readonly isRequired: boolean;
}

export function plain(code: Chain | string, type?: Code): Zod {
  return { code, type, isNullable: false, isLazy: false };
}

export const unknown = plain(zod('unknown'), 'z.ZodUnknown');
export const ofText = plain(zod('string'), 'z.ZodString');

export function nullable(one: Zod): Zod {
  return { ...one, isNullable: true };
}

/** The code with what says that the value may be `null`, or be absent. */
export function written(one: Zod, { isOptional }: { isOptional: boolean }): Chain | string {
  if (isAny(one)) return isOptional ? chained(one.code, 'optional') : one.code;
  if (!one.isNullable) return isOptional ? chained(one.code, 'optional') : one.code;
  return chained(one.code, isOptional ? 'nullish' : 'nullable');
}

/** `z.unknown()` takes `null` as it is. */
function isAny({ code }: Zod): boolean {
  return typeof code === 'object' && code.calls.at(-1)?.name === 'unknown';
}

/** Its type with `ZodNullable` and `ZodOptional`. */
function writtenType(one: Zod, { isOptional }: { isOptional: boolean }): Code | undefined {
  if (one.type === undefined) return undefined;
  const type = one.isNullable && !isAny(one) ? generic('z.ZodNullable', one.type) : one.type;
  return isOptional ? generic('z.ZodOptional', type) : type;
}

/** Wraps schemas by a function of zod: `z.array(item)`, of type `z.ZodArray<…>`. */
export function wrapped(name: 'array' | 'record' | 'union', ...inner: readonly Zod[]): Zod {
  const codes = inner.map((one) => written(one, { isOptional: false }));
  const types = inner.map((one) => writtenType(one, { isOptional: false }));
  const isTyped = !types.includes(undefined);
  const known = types.filter((type) => type !== undefined);
  const isLazy = inner.some((one) => one.isLazy);
  const isUnion = name === 'union';
  const className = { array: 'z.ZodArray', record: 'z.ZodRecord', union: 'z.ZodUnion' }[name];
  return {
    code: isUnion ? zod(name, list(codes)) : zod(name, ...codes),
    type: isTyped
      ? generic(className, ...(isUnion ? [list(known, 'readonly [')] : known))
      : undefined,
    isNullable: false,
    isLazy,
  };
}

export function allFields({ inherited, own }: ObjectFacts): readonly ObjectField[] {
  const names = new Set(own.map(({ name }) => name));
  return [...inherited.filter(({ name }) => !names.has(name)), ...own];
}

/**
 * `z.object({ … })`, `Base.extend({ … })` or `z.object({ ...A.shape, ...B.shape, … })`. A base with
 * getters comes first: to read its shape would read them before their schemas are declared.
 */
export function objectOf(facts: ObjectFacts): Zod {
  const own = facts.own.map(toField);
  const bases = (facts.base ?? []).toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  const [first, ...others] = bases;
  if (first === undefined) return { ...plain(zod('object', fields(...own))), object: facts };
  const isExtended = others.length === 0 || isFirst(first);
  const spread = (isExtended ? others : bases).map(({ code }) => ({
    name: undefined,
    value: `...${String(code)}.shape`,
  }));
  const all = fields(...spread, ...own);
  if (!isExtended) return { ...plain(zod('object', all)), object: facts };
  const code = all.fields.length === 0 ? first.code : chained(first.code, 'extend', all);
  return { ...plain(code), object: facts };
}

function isFirst({ code, isLazy }: Base): boolean {
  return isLazy || typeof code !== 'string';
}

/** A field; one that names what is declared later is a getter. */
export function toField({ name, zod: one, isRequired }: ObjectField): Field {
  const value = written(one, { isOptional: !isRequired });
  if (!one.isLazy) return { name, value };
  return { name, value, type: writtenType(one, { isOptional: !isRequired }) ?? untyped };
}

/** The type of a schema whose own type contains itself and would take too long to write. */
export const untyped = generic('z.ZodType', 'unknown');

/** The schema of values that fit both: one object where that says the same, or an intersection. */
export function both(a: Zod, b: Zod): Zod {
  if (isAny(b)) return a;
  if (isAny(a)) return b;
  if (b.isAnyObject === true && a.object !== undefined) return a;
  if (a.isAnyObject === true && b.object !== undefined) return b;
  const joined = oneObject(a, b);
  if (joined !== undefined) return joined;
  const codes = [a, b].map((one) => written(one, { isOptional: false }));
  return { ...plain(zod('intersection', ...codes)), isLazy: a.isLazy || b.isLazy };
}

function oneObject(a: Zod, b: Zod): Zod | undefined {
  if (a.object === undefined || b.object === undefined) return undefined;
  // Fields that stand here are behind those of a base.
  const isTurned = a.object.base === undefined && b.object.base !== undefined;
  const [first, second] = isTurned ? [b.object, a.object] : [a.object, b.object];
  if (clash(first, second)) return undefined;
  if (second.base === undefined) return extended(first, second.own);
  if (first.base === undefined || second.own.length > 0) return undefined;
  const base = [...first.base, ...second.base];
  if (base.filter(isFirst).length > 1) return undefined;
  return objectOf({
    base,
    inherited: [...first.inherited, ...second.inherited],
    own: first.own,
  });
}

function extended({ base, inherited, own }: ObjectFacts, more: readonly ObjectField[]): Zod {
  const names = new Set(more.map(({ name }) => name));
  const kept = own.filter(({ name }) => !names.has(name));
  return objectOf({ base, inherited, own: [...kept, ...more] });
}

/** Whether a field of both has to fit two schemas, of which neither says all. */
function clash(a: ObjectFacts, b: ObjectFacts): boolean {
  const known = new Map(allFields(a).map((field) => [field.name, field]));
  return allFields(b).some((field) => {
    const other = known.get(field.name);
    if (other === undefined) return false;
    // The later one stands: it is the same, or names the values that a text may have.
    const isNarrower = field.zod.isLiteral === true && (field.isRequired || !other.isRequired);
    return !(b.base === undefined && isNarrower) && !isSame(field, other);
  });
}

function isSame(a: ObjectField, b: ObjectField): boolean {
  return a.isRequired === b.isRequired && JSON.stringify(a.zod) === JSON.stringify(b.zod);
}

/** The object with fields that are required although their declaration does not say so. */
export function requiring(one: Zod, names: readonly string[]): Zod {
  const { object } = one;
  if (object === undefined) return one;
  const isWanted = ({ name, isRequired }: ObjectField): boolean =>
    !isRequired && names.includes(name);
  const own = object.own.map((field) => (isWanted(field) ? { ...field, isRequired: true } : field));
  const ofBase = object.inherited.filter(isWanted);
  if (object.base === undefined || ofBase.length === 0)
    return own.some((field, index) => field !== object.own[index])
      ? objectOf({ ...object, own })
      : one;
  // `required` would read the getters.
  if (object.base.some(({ isLazy }) => isLazy)) return one;
  const chosen = fields(...ofBase.map(({ name }) => ({ name, value: 'true' })));
  const inherited = object.inherited.map((field) =>
    isWanted(field) ? { ...field, isRequired: true } : field,
  );
  const whole = chained(objectOf({ ...object, own: [] }).code, 'required', chosen);
  return objectOf({ base: [{ code: whole, isLazy: false }], inherited, own });
}
