/** JSON Schemas of a document → zod, and the constants that they need. */
import { list, zod } from './code.ts';
import type { Code } from './code.ts';
import { createConstants } from './constants.ts';
import { child, children, refOf, textsAt } from './document.ts';
import type { Document, Part } from './document.ts';
import { isNullable, saysMore, saysNothing, typesOf, unchecked } from './keywords.ts';
import type { Names } from './names.ts';
import { objectFrom } from './objects.ts';
import type { Report } from './report.ts';
import { allowedValues, literals, number, text, withBounds } from './scalars.ts';
import { unionOf } from './unions.ts';
import { inside, isHidden } from './where.ts';
import type { Direction, Where } from './where.ts';
import { both, nullable, plain, requiring, unknown, wrapped, written } from './zod.ts';
import type { Zod } from './zod.ts';

export interface Schemas {
  /** The zod of a schema; what it refers to becomes constants. */
  of(schema: Part, direction: Direction): Zod;
  /** The constants so far, each behind those that it needs. */
  constants(): readonly string[];
}

export interface SchemasOptions {
  readonly document: Document;
  readonly names: Names;
  readonly report: Report;
}

export function createSchemas({ document, names, report }: SchemasOptions): Schemas {
  const constants = createConstants({ document, names, report, of });

  function of(schema: Part, where: Where): Zod {
    if (schema.value === false) return plain(zod('never'), 'z.ZodNever');
    for (const keyword of unchecked) {
      const part = child(schema, keyword);
      if (part !== undefined && part.value !== false)
        report.note(part.pointer, `${keyword} is not checked`);
    }
    const parts = [
      ...(refOf(schema) === undefined ? [] : [constants.reference(document.follow(schema), where)]),
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
      .filter((name) => !isHidden(child(schema, 'properties', name), where, document));
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
        return objectFrom(schema, where, { document, report, of, isComposed });
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
    const array = wrapped('array', items === undefined ? unknown : of(items, inside(where)));
    return typeof array.code === 'string'
      ? array
      : { ...array, code: withBounds(array.code, schema, bounds) };
  }

  function tuple(schema: Part, first: readonly Part[], where: Where): Zod {
    const least = Number(child(schema, 'minItems')?.value ?? 0);
    const parts = first.map((part) => of(part, inside(where)));
    const items = child(schema, 'items');
    const rest = items?.value === false ? undefined : items && of(items, inside(where));
    const codes = parts.map((one, index) => written(one, { isOptional: index >= least }));
    const others = items?.value === false ? [] : [written(rest ?? unknown, { isOptional: false })];
    const isLazy = [...parts, ...(rest ? [rest] : [])].some((one) => one.isLazy);
    return { ...plain(zod('tuple', list(codes), ...others)), isLazy };
  }

  return {
    of: (schema, direction) => of(schema, { direction, isInProperty: false, composing: [] }),
    constants: () => constants.declarations,
  };
}

function scalar({ code, type }: { code: Zod['code']; type: Code | undefined }): Zod {
  return plain(code, type);
}
