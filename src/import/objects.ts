/** Schemas of objects → `z.object`, `z.looseObject` and `z.record`. */
import { chained, fields, zod } from './code.ts';
import { child, children, textsAt } from './document.ts';
import type { Document, Part } from './document.ts';
import { saysNothing } from './keywords.ts';
import type { Report } from './report.ts';
import { inside, isHidden } from './where.ts';
import type { Where } from './where.ts';
import { objectOf, ofText, plain, unknown, wrapped, written } from './zod.ts';
import type { ObjectField, Zod } from './zod.ts';

export interface ObjectsOptions {
  readonly document: Document;
  readonly report: Report;
  /** The zod of a schema. */
  readonly of: (schema: Part, where: Where) => Zod;
  /** Whether other schemas say more of the same object, and may declare its required fields. */
  readonly isComposed: boolean;
}

export function objectFrom(schema: Part, where: Where, options: ObjectsOptions): Zod {
  const { document, report, of, isComposed } = options;
  const mustHave = textsAt(schema, 'required');
  const own = children(child(schema, 'properties'))
    .filter((property) => !isHidden(property, where, document))
    .map((property): ObjectField => ({
      name: property.key,
      zod: of(property, inside(where, true)),
      isRequired: mustHave.includes(property.key),
    }));
  for (const { name, zod: one } of own)
    if (one.isLazy && one.type === undefined)
      report.note(
        child(schema, 'properties', name)?.pointer ?? schema.pointer,
        'contains itself in a way whose type is not written: it is unknown',
      );
  const undeclared = mustHave
    .filter((name) => !isComposed && child(schema, 'properties', name) === undefined)
    .map((name): ObjectField => ({ name, zod: unknown, isRequired: true }));
  return withFurther(schema, [...own, ...undeclared], (further) => of(further, inside(where)));
}

/** Adds what the schema says of fields that it does not name. */
function withFurther(schema: Part, own: readonly ObjectField[], of: (further: Part) => Zod): Zod {
  const further = child(schema, 'additionalProperties');
  const isClosed = further?.value === false;
  const isOpen =
    child(schema, 'patternProperties') !== undefined || (further !== undefined && !isClosed);
  const known = objectOf({ base: undefined, inherited: [], own });
  if (own.length > 0 && !isOpen) return known;
  const value = further === undefined || saysNothing(further) || isClosed ? unknown : of(further);
  if (own.length === 0) return isClosed ? known : recordOf(value);
  return value === unknown ? loose(known) : withRest(known, value);
}

function loose(known: Zod): Zod {
  if (typeof known.code === 'string') return known;
  const [shape = fields()] = known.code.calls[0]?.args ?? [];
  return plain(zod('looseObject', shape));
}

function withRest({ code }: Zod, value: Zod): Zod {
  const rest = written(value, { isOptional: false });
  return { ...plain(chained(code, 'catchall', rest)), isLazy: value.isLazy };
}

function recordOf(value: Zod): Zod {
  const record = wrapped('record', ofText, value);
  return value === unknown ? { ...record, isAnyObject: true } : record;
}
