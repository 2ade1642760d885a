/** The parameter by which a list says how many items an answer has. */
import { child, numberAt } from './document.ts';
import type { Document } from './document.ts';
import { kindsOf } from './parameters.ts';
import type { Parameter } from './parameters.ts';
import { allowedValues } from './scalars.ts';

export interface PageSize {
  readonly parameter: Parameter;
  readonly usual: number | undefined;
  /**
   * The most items that may be asked for, if any number up to it may be. A service that does not
   * say so may cut a larger page silently.
   */
  readonly largest: number | undefined;
}

export function pageSizeOf(
  parameters: readonly Parameter[],
  document: Document,
): PageSize | undefined {
  const parameter = parameters.find(
    ({ name, in: place }) =>
      place === 'query' &&
      /^(?:limit|page_?size|per_?page|max_?results|page\[(?:size|limit)\])$/i.test(name),
  );
  if (parameter?.schema === undefined) return undefined;
  const schema = document.follow(parameter.schema);
  const bounded = ['exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'];
  const isAny =
    kindsOf(schema, document).join() === 'integer' &&
    !bounded.some((keyword) => child(schema, keyword) !== undefined) &&
    allowedValues(schema) === undefined &&
    (numberAt(schema, 'minimum') ?? 1) <= 1;
  const most = numberAt(schema, 'maximum');
  const largest = isAny && most !== undefined && most >= 1 ? most : undefined;
  return { parameter, usual: numberAt(schema, 'default'), largest };
}
