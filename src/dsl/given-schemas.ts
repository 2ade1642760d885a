/** Checks schemas as they are given: refuses values that are none, and asynchronous schemas. */
import { types } from 'node:util';
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { ownDefsOf, schemasIn } from '../schema-parts.ts';
import { shownValue, withArticle } from '../shown-value.ts';

/** Schemas by the options that they are given as. */
export type Schemas = Readonly<Record<string, z.ZodType | undefined>>;

/** The options whose fields go by their names. */
const byName: ReadonlySet<string> = new Set(['params', 'query', 'headers']);

/** @throws CompositionError that names an option that is no schema, as one without `z.object()`. */
export function refuseNoSchema(schemas: Schemas, place: string): void {
  for (const [option, schema] of Object.entries(schemas)) {
    if (schema === undefined) continue;
    const isSchema = schema instanceof z.ZodType;
    if (isSchema && (!byName.has(option) || 'shape' in schema)) continue;
    const found = isSchema ? withArticle(schema.def.type) : shownValue(schema);
    const wanted = byName.has(option) ? '' : 'a schema, as ';
    throw new CompositionError(place, `${option} is ${found}. Use ${wanted}z.object({ … }).`);
  }
}

/** @throws CompositionError that names the option whose schema has an asynchronous function. */
export function refuseAsynchronous(schemas: Schemas, place: string): void {
  for (const [option, schema] of Object.entries(schemas)) {
    if (schema === undefined || ![...schemasIn(schema)].some(isAsynchronous)) continue;
    throw new CompositionError(
      place,
      `${option} has an asynchronous function or a promise in its schema, but values are parsed ` +
        'at once. Make the function synchronous; ask services by call() in compose().',
    );
  }
}

function isAsynchronous(schema: z.core.$ZodType): boolean {
  return ownDefsOf(schema).some(
    (def) =>
      ('type' in def && def.type === 'promise') ||
      ('fn' in def && types.isAsyncFunction(def.fn)) ||
      ('transform' in def && types.isAsyncFunction(def.transform)),
  );
}
