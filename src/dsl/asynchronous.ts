/** Refuses asynchronous schemas: parsing is synchronous. */
import { types } from 'node:util';
import type { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { ownDefsOf, schemasIn } from '../schema-parts.ts';

/** Schemas by the options that they are given as. */
export type Schemas = Readonly<Record<string, z.ZodType | undefined>>;

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
