/** Refuses asynchronous schemas: parsing is synchronous. */
import { types } from 'node:util';
import type { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { schemasIn } from '../schema-parts.ts';

type Schemas = Readonly<Record<string, z.ZodType | undefined>>;

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

/** The functions in the definition of a schema or of a check. */
interface Def {
  readonly type?: string;
  readonly fn?: unknown;
  readonly transform?: unknown;
  readonly checks?: readonly { readonly _zod: { readonly def: Def } }[];
}

function isAsynchronous(schema: z.core.$ZodType): boolean {
  const { def } = schema as unknown as { readonly def: Def }; // every schema made by `zod` has one
  const own = [def, ...(def.checks ?? []).map(({ _zod: internals }) => internals.def)];
  return own.some(
    ({ type, fn, transform }) =>
      type === 'promise' || types.isAsyncFunction(fn) || types.isAsyncFunction(transform),
  );
}
