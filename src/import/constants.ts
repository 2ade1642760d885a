/** The constants of a file: one for each schema that a reference leads to. */
import { zod } from './code.ts';
import { children, isTrueAt, keyOf, refOf } from './document.ts';
import type { Document, Part } from './document.ts';
import { isNullable, isSimple } from './keywords.ts';
import { pascalCase } from './names.ts';
import type { Names } from './names.ts';
import { print } from './print.ts';
import type { Report } from './report.ts';
import type { Where } from './where.ts';
import { allFields, plain, unknown, untyped, written } from './zod.ts';
import type { ObjectFacts, ObjectField, Zod } from './zod.ts';

export interface Constants {
  /** The constant of a schema, or the schema itself if it is short. */
  reference(target: Part, where: Where): Zod;
  /** The declarations so far, each behind those that it needs. */
  readonly declarations: readonly string[];
}

export interface ConstantsOptions {
  readonly document: Document;
  readonly names: Names;
  readonly report: Report;
  /** The zod of a schema. */
  readonly of: (schema: Part, where: Where) => Zod;
}

interface Constant {
  readonly name: string;
  /** `undefined` while it is being made. */
  zod: Zod | undefined;
  /** Whether it contains itself outside of any property, so that its type has to be written. */
  isUntyped: boolean;
}

export function createConstants({ document, names, report, of }: ConstantsOptions): Constants {
  const constants = new Map<string, Constant>();
  const declarations: string[] = [];

  function reference(target: Part, where: Where): Zod {
    if (where.composing.some(({ pointer }) => pointer === target.pointer)) {
      report.note(target.pointer, 'is composed of itself: that part says nothing');
      return unknown;
    }
    const inner = { ...where, composing: [...where.composing, target] };
    if (isSimple(target)) return of(target, inner);
    const isInput = where.direction === 'request' && isOneWay(target, document);
    const key = `${target.pointer} ${isInput ? 'input' : ''}`;
    const constant = constants.get(key);
    if (constant === undefined) return declare(key, target, inner, isInput);
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
    declarations.push(`${head}${print(code, 0, head.length)};`);
    return named(constant);
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

  return { reference, declarations };
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

function factsOf(name: string, inherited: readonly ObjectField[]): ObjectFacts {
  const isLazy = inherited.some((field) => field.zod.isLazy);
  return { base: [{ code: name, isLazy }], inherited, own: [] };
}

/** Whether a schema has fields that are only in requests, or only in answers. */
function isOneWay(part: Part, document: Document, seen = new Set<string>()): boolean {
  if (seen.has(part.pointer)) return false;
  seen.add(part.pointer);
  if (isTrueAt(part, 'readOnly') || isTrueAt(part, 'writeOnly')) return true;
  if (refOf(part) !== undefined) return isOneWay(document.follow(part), document, seen);
  return children(part).some((one) => !samples.has(one.key) && isOneWay(one, document, seen));
}

/** Keywords below which there are values. */
const samples = new Set(['example', 'examples', 'enum', 'default', 'const']);
