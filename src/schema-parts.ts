/** Zod schemas from the inside: their definitions, and all the schemas that one is made of. */
import { z } from 'zod';

type Schema = z.core.$ZodType;

/** How a schema was made; its `type` is the kind of the schema. */
export type Def = z.core.$ZodTypes['_zod']['def'];

export function defOf(schema: Schema): Def {
  return (schema as unknown as { readonly def: Def }).def; // every schema made by `zod` has one
}

/** Whether a schema, as `z.coerce` makes them, takes input of any kind. */
export function isCoerced(def: object): boolean {
  return 'coerce' in def && def.coerce === true;
}

/** The definitions of a schema and of its checks: of all of it but its parts. */
export function ownDefsOf(schema: Schema): readonly (Def | z.core.$ZodCheckDef)[] {
  const def = defOf(schema);
  return [def, ...(def.checks ?? []).map(({ _zod: internals }) => internals.def)];
}

/** The schema and all its parts, each once; those of a recursive schema, too. */
export function schemasIn(schema: Schema): ReadonlySet<Schema> {
  return partsFrom(schema, (pipe) => [pipe.in, pipe.out]);
}

/** Those of them that describe the JSON that is parsed. */
export function inputsOf(schema: Schema): ReadonlySet<Schema> {
  return partsFrom(schema, (pipe) => [entryOf(pipe)]);
}

/** Those of them that describe what parsing gives. */
export function outputsOf(schema: z.ZodType): readonly z.ZodType[] {
  const parts = partsFrom(schema, (pipe) => [pipe.out]);
  return [...parts].map((part) => part as z.ZodType); // every schema made by `zod` has its methods
}

type PipeDef = Extract<Def, { type: 'pipe' }>;

/** The part of a pipe that describes JSON; in `z.preprocess`, the one after the function. */
export function entryOf(pipe: PipeDef): Schema {
  return defOf(pipe.in).type === 'transform' ? pipe.out : pipe.in;
}

function partsFrom(schema: Schema, ofPipe: (pipe: PipeDef) => readonly Schema[]): Set<Schema> {
  const found = new Set<Schema>();
  visit(schema);
  return found;

  function visit(part: unknown): void {
    if (!(part instanceof z.core.$ZodType) || found.has(part)) return;
    found.add(part);
    const def = defOf(part);
    for (const value of def.type === 'pipe' ? ofPipe(def) : Object.values(def)) visitAll(value);
    if (def.type === 'lazy') visit(def.getter());
  }

  /** A part, a list of parts, or a shape. */
  function visitAll(value: unknown): void {
    visit(value);
    if (typeof value !== 'object' || value === null || value instanceof z.core.$ZodType) return;
    for (const part of Object.values(value)) visit(part);
  }
}
