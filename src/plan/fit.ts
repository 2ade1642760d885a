/** Whether a template fits the declared `response`. */
import type { z } from 'zod';
import type { Source, Template } from '../dsl/node.ts';
import { CompositionError } from '../errors.ts';
import type { Composed } from './run-compose.ts';
import {
  fieldsOf,
  itemOf,
  kindOf,
  mayBeAbsent,
  mayBeNull,
  mayBeUndefined,
  ownField,
} from '../schema.ts';
import { withArticle } from '../shown-value.ts';
import { schemaOf } from './value-schema.ts';

/**
 * Compares the template with the declared `response`.
 *
 * @throws CompositionError for a field that is missing, or that certainly does not fit. The result
 * of a `map` is only known at run time, when the response is parsed.
 */
export function checkResponse(
  name: string,
  composed: Composed,
  response: z.ZodType | undefined,
): void {
  if (response !== undefined)
    checkPart(composed, composed.root.template, response, { name, place: 'response' });
}

interface Where {
  readonly name: string;
  readonly place: string;
}

function checkPart(composed: Composed, template: Template, wanted: z.ZodType, where: Where): void {
  switch (template.kind) {
    case 'literal':
      return checkLiteral(template.value, wanted, where);
    case 'reference':
      return checkReference(composed, template.source, wanted, where);
    case 'array': {
      if (isCertainlyNot(wanted, 'array')) misfit(where, 'a list', wanted);
      const item = itemOf(wanted, 'in');
      if (item)
        for (const [index, part] of template.items.entries())
          checkPart(composed, part, item, at(where, index));
      return;
    }
    case 'object': {
      if (isCertainlyNot(wanted, 'object')) misfit(where, 'an object', wanted);
      const fields = fieldsOf(wanted, 'in');
      if (fields) checkFields(composed, template.entries, fields, where);
      return;
    }
    default:
      template satisfies never;
  }
}

function checkFields(
  composed: Composed,
  entries: readonly (readonly [string, Template])[],
  fields: Readonly<Record<string, z.ZodType>>,
  where: Where,
): void {
  const written = new Map(entries);
  for (const [key, wanted] of Object.entries(fields)) {
    const part = written.get(key);
    if (part !== undefined) checkPart(composed, part, wanted, at(where, key));
    else if (!mayBeAbsent(wanted)) {
      throw new CompositionError(
        where.name,
        `${where.place} is missing "${key}", which the response schema requires. compose() ` +
          `returned: ${[...written.keys()].join(', ') || 'none'}.`,
      );
    }
  }
}

function checkLiteral(value: unknown, wanted: z.ZodType, where: Where): void {
  const issue = wanted.safeParse(value).error?.issues[0];
  if (issue === undefined) return;
  const { name, place } = issue.path.reduce<Where>((outer, key) => at(outer, String(key)), where);
  throw new CompositionError(
    name,
    `${place} does not fit the response schema: ${issue.message}. Change compose() or the schema.`,
  );
}

function checkReference(composed: Composed, source: Source, wanted: z.ZodType, where: Where): void {
  const node = composed.nodes[source.node];
  let given = node && schemaOf(composed.nodes, node);
  // A field of `null` is `null`, and a field of `undefined` is `undefined`.
  const passed = [given];
  for (const key of source.path) {
    given = given && ownField(fieldsOf(given), key);
    passed.push(given);
  }
  if (given === undefined) return;
  const may = (be: (schema: z.ZodType) => boolean): boolean => passed.some((one) => one && be(one));
  if (may(mayBeNull) && !wanted.safeParse(null).success)
    misfit(where, 'something that may be null', wanted);
  if (may(mayBeUndefined) && !mayBeAbsent(wanted))
    misfit(where, 'something that may be absent', wanted);
  const kind = kindOf(given);
  if (kind !== undefined && isCertainlyNot(wanted, kind)) misfit(where, kindInWords(kind), wanted);
}

function isCertainlyNot(wanted: z.ZodType, kind: string): boolean {
  const known = kindOf(wanted, 'in');
  return known !== undefined && known !== kind;
}

function at({ name, place }: Where, part: string | number): Where {
  return { name, place: `${place}.${part}` };
}

function kindInWords(kind: string): string {
  return kind === 'array' ? 'a list' : withArticle(kind);
}

function misfit({ name, place }: Where, found: string, wanted: z.ZodType): never {
  throw new CompositionError(
    name,
    `${place} is ${found}, but the response schema expects ` +
      `${kindOf(wanted, 'in') ?? 'something else'} there. Change compose() or the schema.`,
  );
}
