/** JSON Schemas of a document → zod, and the constants that they need. */
import { chained, fields, list, zod } from './code.ts';
import { print } from './print.ts';
import type { Code } from './code.ts';
import { child, children, isTrueAt, keyOf, refOf, textsAt } from './document.ts';
import type { Document, Part } from './document.ts';
import { isNullable, isSimple, saysMore, saysNothing, typesOf, unchecked } from './keywords.ts';
import { pascalCase } from './names.ts';
import type { Names } from './names.ts';
import type { Report } from './report.ts';
import { allowedValues, literals, number, text, withBounds } from './scalars.ts';
import { unionOf } from './unions.ts';
import {
  allFields,
  both,
  nullable,
  objectOf,
  plain,
  requiring,
  unknown,
  untyped,
  wrapped,
  written,
} from './zod.ts';
import type { ObjectFacts, ObjectField, Zod } from './zod.ts';

/** Where a schema is used: fields that are only read, or only written, belong to one of them. */
export type Direction = 'request' | 'response';

interface Where {
  readonly direction: Direction;
  /** Below a property, where a getter may name what is declared later. */
  readonly isInProperty: boolean;
}

export interface Schemas {
  /** The zod of a schema; what it refers to becomes constants. */
  of(schema: Part, direction: Direction): Zod;
  /** The constants so far, each behind those that it needs. */
  constants(): readonly string[];
}

interface Constant {
  readonly name: string;
  /** `undefined` while it is being made. */
  zod: Zod | undefined;
  /** Whether it contains itself outside of any property, so that its type has to be written. */
  isUntyped: boolean;
}

export interface SchemasOptions {
  readonly document: Document;
  readonly names: Names;
  readonly report: Report;
}

export function createSchemas({ document, names, report }: SchemasOptions): Schemas {
  const constants = new Map<string, Constant>();
  const finished: string[] = [];

  function of(schema: Part, where: Where): Zod {
    if (schema.value === false) return plain(zod('never'), 'z.ZodNever');
    for (const keyword of unchecked) {
      const part = child(schema, keyword);
      if (part !== undefined && part.value !== false)
        report.note(part.pointer, `${keyword} is not checked`);
    }
    const parts = [
      ...(refOf(schema) === undefined ? [] : [reference(document.follow(schema), where)]),
      ...children(child(schema, 'allOf'))
        .filter((member) => !saysNothing(member))
        .map((member) => of(member, where)),
      ...own(schema, where),
      ...(['oneOf', 'anyOf'] as const).flatMap((keyword) =>
        unionOf(schema, keyword, { document, report, of: (member) => of(member, where) }),
      ),
    ];
    const [first = unknown, ...others] = parts;
    const joined = others.reduce(both, first);
    const all = requiring(joined, required(schema, where));
    return isNullable(schema) ? nullable(all) : all;
  }

  /** The names that `required` adds to what a schema refers to. */
  function required(schema: Part, where: Where): readonly string[] {
    const members = children(child(schema, 'allOf')).filter(saysNothing);
    return [schema, ...members]
      .flatMap((part) => textsAt(part, 'required'))
      .filter((name) => !isHidden(child(schema, 'properties', name), where));
  }

  /** The keywords of a schema besides its references and compositions. */
  function own(schema: Part, where: Where): readonly Zod[] {
    const values = allowedValues(schema);
    if (values !== undefined) return [allowed(schema, values)];
    const types = typesOf(schema);
    const isComposed = ['$ref', 'allOf', 'oneOf', 'anyOf'].some(
      (keyword) => child(schema, keyword) !== undefined,
    );
    if (isComposed && !saysMore(schema)) return [];
    const kinds = types.map((type) => ofType(schema, type, where, isComposed));
    return kinds.length > 1 ? [wrapped('union', ...kinds)] : kinds;
  }

  function allowed(schema: Part, values: readonly Part[]): Zod {
    // The only value is `null`.
    if (values.length === 0) return plain(zod('null'), 'z.ZodNull');
    const code = literals(values);
    if (code !== undefined) return { ...plain(code), isLiteral: true };
    report.note(schema.pointer, 'its values are objects or lists, which are not compared');
    return unknown;
  }

  function ofType(schema: Part, type: string, where: Where, isComposed: boolean): Zod {
    switch (type) {
      case 'string':
        return scalar(text(schema, report));
      case 'number':
      case 'integer':
        return scalar(number(schema, type === 'integer'));
      case 'boolean':
        return plain(zod('boolean'), 'z.ZodBoolean');
      case 'null':
        return plain(zod('null'), 'z.ZodNull');
      case 'array':
        return arrayOf(schema, where);
      case 'object':
        return objectFrom(schema, where, isComposed);
      default:
        report.note(`${schema.pointer}/type`, `type ${JSON.stringify(type)} is unknown`);
        return unknown;
    }
  }

  function arrayOf(schema: Part, where: Where): Zod {
    const bounds = { minItems: 'min', maxItems: 'max' };
    const first = children(child(schema, 'prefixItems'));
    if (first.length > 0) return tuple(schema, first, where);
    const items = child(schema, 'items');
    const array = wrapped('array', items === undefined ? unknown : of(items, where));
    return typeof array.code === 'string'
      ? array
      : { ...array, code: withBounds(array.code, schema, bounds) };
  }

  function tuple(schema: Part, first: readonly Part[], where: Where): Zod {
    const least = Number(child(schema, 'minItems')?.value ?? 0);
    const parts = first.map((part) => of(part, where));
    const items = child(schema, 'items');
    const rest = items?.value === false ? undefined : items && of(items, where);
    const codes = parts.map((one, index) => written(one, { isOptional: index >= least }));
    const others = items?.value === false ? [] : [written(rest ?? unknown, { isOptional: false })];
    const isLazy = [...parts, ...(rest ? [rest] : [])].some((one) => one.isLazy);
    return { ...plain(zod('tuple', list(codes), ...others)), isLazy };
  }

  function objectFrom(schema: Part, where: Where, isComposed: boolean): Zod {
    const mustHave = textsAt(schema, 'required');
    const properties = children(child(schema, 'properties'));
    const ownFields = properties
      .filter((property) => !isHidden(property, where))
      .map((property): ObjectField => ({
        name: property.key,
        zod: of(property, { ...where, isInProperty: true }),
        isRequired: mustHave.includes(property.key),
      }));
    for (const { name, zod: one } of ownFields)
      if (one.isLazy && one.type === undefined)
        report.note(
          child(schema, 'properties', name)?.pointer ?? schema.pointer,
          'contains itself in a way whose type is not written: it is unknown',
        );
    const undeclared = mustHave.filter(
      (name) => !isComposed && child(schema, 'properties', name) === undefined,
    );
    const everything = [
      ...ownFields,
      ...undeclared.map((name) => ({ name, zod: unknown, isRequired: true })),
    ];
    return withFurther(schema, everything, where);
  }

  /** Adds what the schema says of fields that it does not name. */
  function withFurther(schema: Part, ownFields: readonly ObjectField[], where: Where): Zod {
    const further = child(schema, 'additionalProperties');
    const isOpen =
      child(schema, 'patternProperties') !== undefined ||
      (further !== undefined && further.value !== false);
    const known = objectOf({ base: undefined, inherited: [], own: ownFields });
    if (ownFields.length > 0 && !isOpen) return known;
    const value = furtherValue(further, where);
    if (ownFields.length === 0) return further?.value === false ? known : recordOf(value);
    const { code } = known;
    if (typeof code === 'string') return known;
    const [shape = fields()] = code.calls[0]?.args ?? [];
    return value === unknown
      ? plain(zod('looseObject', shape))
      : {
          ...plain(chained(code, 'catchall', written(value, { isOptional: false }))),
          isLazy: value.isLazy,
        };
  }

  function furtherValue(further: Part | undefined, where: Where): Zod {
    const isAny = further === undefined || typeof further.value === 'boolean';
    return isAny || saysNothing(further) ? unknown : of(further, where);
  }

  function reference(target: Part, where: Where): Zod {
    if (isSimple(target)) return of(target, where);
    const isInput = where.direction === 'request' && isOneWay(target);
    const key = `${target.pointer} ${isInput ? 'input' : ''}`;
    const constant = constants.get(key);
    if (constant === undefined) return declare(key, target, where, isInput);
    return constant.zod === undefined ? later(constant, target, where) : named(constant);
  }

  /** Makes a constant, behind those that it needs. */
  function declare(key: string, target: Part, where: Where, isInput: boolean): Zod {
    const wanted = pascalCase(keyOf(target)) + (isInput ? 'Input' : '');
    const constant: Constant = { name: names.take(wanted), zod: undefined, isUntyped: false };
    constants.set(key, constant);
    const made = of(target, { ...where, isInProperty: false });
    // Where the schema itself does not say that it may be `null`, the constant does.
    const isInner = made.isNullable && !isNullable(target);
    constant.zod = isInner ? plain(written(made, { isOptional: false })) : made;
    const head = `const ${constant.name}${constant.isUntyped ? ': z.ZodType<unknown>' : ''} = `;
    const code = isInner ? constant.zod.code : made.code;
    finished.push(`${head}${print(code, 0, head.length)};`);
    return named(constant);
  }

  /** A constant that is complete; that it may be `null` is mostly said where it is used. */
  function named({ name, zod: made, isUntyped }: Constant): Zod {
    const object = isUntyped ? undefined : made?.object;
    return {
      ...plain(name, `typeof ${name}`),
      isNullable: made?.isNullable ?? false,
      ...(object && { object: factsOf(name, allFields(object)) }),
      ...(made?.isLiteral === true && { isLiteral: true }),
      ...(made?.isAnyObject === true && { isAnyObject: true }),
    };
  }

  /** A constant within itself. */
  function later(constant: Constant, target: Part, where: Where): Zod {
    const isMaybeNull = isNullable(target);
    if (where.isInProperty)
      return {
        ...plain(constant.name, `typeof ${constant.name}`),
        isNullable: isMaybeNull,
        isLazy: true,
      };
    constant.isUntyped = true;
    report.note(target.pointer, 'contains itself outside of a property: its type is unknown');
    return {
      ...plain(zod('lazy', `() => ${constant.name}`), untyped),
      isNullable: isMaybeNull,
    };
  }

  /** Whether a schema has fields that are only in requests, or only in answers. */
  function isOneWay(part: Part, seen = new Set<string>()): boolean {
    if (seen.has(part.pointer)) return false;
    seen.add(part.pointer);
    if (isTrueAt(part, 'readOnly') || isTrueAt(part, 'writeOnly')) return true;
    if (refOf(part) !== undefined) return isOneWay(document.follow(part), seen);
    return children(part).some((one) => !samples.has(one.key) && isOneWay(one, seen));
  }

  /** Whether a property is not there: one that is only read is not sent, and vice versa. */
  function isHidden(property: Part | undefined, { direction }: Where): boolean {
    if (property === undefined) return false;
    const keyword = direction === 'request' ? 'readOnly' : 'writeOnly';
    return isTrueAt(property, keyword) || isTrueAt(document.follow(property), keyword);
  }

  return {
    of: (schema, direction) => of(schema, { direction, isInProperty: false }),
    constants: () => finished,
  };
}

/** Keywords below which there are values. */
const samples = new Set(['example', 'examples', 'enum', 'default', 'const']);

const ofText = plain(zod('string'), 'z.ZodString');

function factsOf(name: string, inherited: readonly ObjectField[]): ObjectFacts {
  const isLazy = inherited.some((field) => field.zod.isLazy);
  return { base: [{ code: name, isLazy }], inherited, own: [] };
}

function recordOf(value: Zod): Zod {
  const record = wrapped('record', ofText, value);
  return value === unknown ? { ...record, isAnyObject: true } : record;
}

function scalar({ code, type }: { code: Zod['code']; type: Code | undefined }): Zod {
  return plain(code, type);
}
