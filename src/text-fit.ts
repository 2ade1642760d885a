/**
 * Finds schemas of query, path and headers that no text can ever fit: bounds that contradict each
 * other, values that are refused afterwards, parts that pass on another kind than the next one
 * takes. Where a function of the schema's author decides, it may fit.
 */
import type { z } from 'zod';
import { parseBy } from './parse.ts';
import { defOf, isCoerced, ownDefsOf } from './schema-parts.ts';
import type { Def } from './schema-parts.ts';
import { withArticle } from './shown-value.ts';
import { textFormOf } from './text-form.ts';
import { isOverBound } from './text-bounds.ts';

type Schema = z.core.$ZodType;

/** Which texts can arrive at all; by default, any. */
export type MayArrive = (text: string) => boolean;

/**
 * The reason why no text fits, as the rest of a sentence that begins with the field; `undefined` if
 * one may fit. `textFormOf` has found that its kind takes texts.
 */
export function textMisfit(schema: z.ZodType, mayArrive: MayArrive = () => true) {
  return misfitOf(schema, new Set()) ?? valuesMisfit(schema, mayArrive);
}

function misfitOf(schema: Schema, around: ReadonlySet<Schema>): string | undefined {
  if (around.has(schema)) return undefined;
  const inside = new Set([...around, schema]);
  const ask = (part: Schema): string | undefined => misfitOf(part, inside);
  const def = defOf(schema);
  if (isOverBound(def.type, ownDefsOf(schema))) return `its bounds leave no ${def.type}`;
  if ('innerType' in def) return isLenient(def) ? undefined : ask(def.innerType);
  switch (def.type) {
    case 'lazy':
      return ask(def.getter());
    case 'pipe':
      return ask(def.in) ?? pipeMisfit(def);
    case 'union':
      return commonMisfit(def.options.filter(takesText).map(ask));
    case 'intersection':
      return ask(def.left) ?? ask(def.right);
    case 'array':
      return ask(def.element);
    case 'tuple':
      return tupleMisfit(def) ?? def.items.map(ask).find((misfit) => misfit !== undefined);
    default:
      return undefined;
  }
}

/** One way is enough. */
function commonMisfit(misfits: readonly (string | undefined)[]): string | undefined {
  return misfits.includes(undefined) ? undefined : misfits[0];
}

function tupleMisfit({ items, rest }: Extract<Def, { type: 'tuple' }>): string | undefined {
  return items.length === 0 && rest === null ? 'its list has no items' : undefined;
}

/** Whether a misfit of the inner schema is no misfit of the outer one. */
function isLenient({ type }: Def): boolean {
  return type === 'catch' || type === 'success';
}

function takesText(schema: Schema): boolean {
  return textFormOf(schema as z.ZodType) !== 'neither'; // every schema made by `zod` has its methods
}

function pipeMisfit(def: Extract<Def, { type: 'pipe' }>): string | undefined {
  const { type } = defOf(def.out);
  // A list may be empty here, since it need not be the one that arrived.
  if (type !== 'array' && isOverBound(type, ownDefsOf(def.out)))
    return `its bounds leave no ${type}`;
  // A codec has a function between its parts.
  if ('transform' in def && typeof def.transform === 'function') return undefined;
  const [given, taken] = [kindOut(def.in), kindIn(def.out)];
  if (given === undefined || taken === undefined || given === taken) return undefined;
  return `it pipes ${withArticle(given)} into ${withArticle(taken)}`;
}

/** The kind of value that a schema takes; `undefined` if it may take several. */
function kindIn(schema: Schema): string | undefined {
  const def = defOf(schema);
  if ('innerType' in def) return isLenient(def) ? undefined : kindIn(def.innerType);
  if (def.type === 'pipe') return kindIn(def.in);
  return isCoerced(def) ? undefined : plainKind(def);
}

/** The kind of value that a schema gives for a text, likewise. */
function kindOut(schema: Schema): string | undefined {
  const def = defOf(schema);
  if ('innerType' in def) return isLenient(def) ? undefined : kindOut(def.innerType);
  return def.type === 'pipe' ? kindOut(def.out) : plainKind(def);
}

const sureKinds: ReadonlySet<string> = new Set(
  'string number bigint boolean date array object map set'.split(' '),
);

function plainKind(def: Def): string | undefined {
  return sureKinds.has(def.type) ? def.type : undefined;
}

/** Tries all texts of a schema that takes only certain ones, whatever functions come after it. */
function valuesMisfit(schema: z.ZodType, mayArrive: MayArrive): string | undefined {
  const texts = textsOf(schema)?.filter(mayArrive);
  if (texts === undefined || texts.some((text) => parseBy(schema, text).ok)) return undefined;
  return texts.length === 0 ? 'none of its values can arrive' : 'it refuses all of its values';
}

/** All texts that may fit; `undefined` if they are not known. */
function textsOf(schema: Schema): readonly string[] | undefined {
  const def = defOf(schema);
  if ('innerType' in def) return isLenient(def) ? undefined : textsOf(def.innerType);
  switch (def.type) {
    case 'literal':
      return def.values.filter((value) => typeof value === 'string');
    case 'enum':
      return Object.values(def.entries).filter((value) => typeof value === 'string');
    case 'pipe':
      return textsOf(def.in);
    default:
      return undefined;
  }
}
