/** Whether JSON can carry what a response is made of, as far as schemas say. */
import type { z } from 'zod';
import { sourcesOf } from '../dsl/node-traits.ts';
import { CompositionError } from '../errors.ts';
import { outputsOf } from '../schema-parts.ts';
import { firstGuarded } from './names.ts';
import type { Composed } from './run-compose.ts';
import { schemaAtSource } from './value-schema.ts';
import { blocksOf } from './visit.ts';

/** Kinds of values that JSON would write as `{}` or `null`, or would leave out. */
const uncarried: Readonly<Record<string, string>> = {
  set: 'a Set',
  map: 'a Map',
  symbol: 'a symbol',
  nan: 'NaN',
  file: 'a File',
  function: 'a function',
};

/**
 * @throws CompositionError for a reference in the response, or a declared `response`, with such a
 * value. What functions return is checked when they have run.
 */
export function checkOutput(
  name: string,
  composed: Composed,
  response: z.ZodType | undefined,
): void {
  if (response !== undefined) return refuseUncarried(name, 'the response schema', response);
  for (const { template } of blocksOf(composed)) {
    for (const { node, path } of sourcesOf(template)) {
      const first = firstGuarded(composed.nodes, node);
      const schema = schemaAtSource(composed.nodes, { node: first, path });
      const place = ['the response of an operation', ...path].join('.');
      if (schema !== undefined) refuseUncarried(name, place, schema);
    }
  }
}

function refuseUncarried(name: string, place: string, schema: z.ZodType): void {
  for (const { def } of outputsOf(schema)) {
    const found = uncarried[def.type];
    if (found === undefined) continue;
    throw new CompositionError(
      name,
      `${place} has ${found}, which JSON cannot carry. Transform it in its schema, or with map().`,
    );
  }
}
