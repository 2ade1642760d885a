/** Decides what becomes of query parameters that the schema of a composition does not name. */
import { z } from 'zod';
import type { AnyConfig } from '../dsl/composition.ts';
import { CompositionError } from '../errors.ts';
import type { QueryRule } from './plan.ts';
import { shownValue } from '../shown-value.ts';

type Config = Pick<AnyConfig, 'query' | 'unknownQuery'>;

/** @throws CompositionError for an `unknownQuery` that is unknown, or contradicts the schema. */
export function checkUnknownQuery(name: string, { query, unknownQuery }: Config): void {
  if (unknownQuery === undefined) return;
  if (!['refuse', 'ignore'].includes(unknownQuery))
    throw new CompositionError(
      name,
      `unknownQuery is ${shownValue(unknownQuery)}. Use "refuse" or "ignore".`,
    );
  const rule = ruleOfSchema(query);
  if (rule === undefined) return;
  const [kind, does] =
    rule === 'take' ? ['z.looseObject()', 'takes'] : ['z.strictObject()', 'refuses'];
  throw new CompositionError(
    name,
    `query is a ${kind}, which ${does} unknown parameters, so that unknownQuery has no effect. ` +
      'Remove it, or use z.object().',
  );
}

/** The rule of a composition: that of its schema, or else its own. */
export function queryRuleOf({ query, unknownQuery }: Config): QueryRule {
  return ruleOfSchema(query) ?? unknownQuery;
}

/** Whether query parameters can have any names. */
export function takesAny({ query }: Pick<AnyConfig, 'query'>): boolean {
  return ruleOfSchema(query) === 'take';
}

/** `z.strictObject()` and `z.looseObject()` say it themselves, as does `.catchall()`. */
function ruleOfSchema(query: AnyConfig['query']): QueryRule {
  const rest = query instanceof z.ZodObject ? query.def.catchall : undefined;
  if (rest === undefined) return undefined;
  return rest instanceof z.ZodNever ? 'refuse' : 'take';
}
