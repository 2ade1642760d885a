/** How the parts of a request that arrive as text can fit a schema: query, path and headers. */
import type { z } from 'zod';
import { defOf, isCoerced } from './schema-parts.ts';
import type { Def } from './schema-parts.ts';
import { unwrapped } from './schema.ts';

/**
 * `text`: only one text fits; `list`: only a list of texts; `either`: one text, or a list where it
 * is given several times; `neither`: nothing that arrives as text can ever fit.
 */
export type TextForm = 'text' | 'list' | 'either' | 'neither';

/** The form of the input of `schema`, as far as its kinds say: only checks can refuse more. */
export function textFormOf(schema: z.ZodType): TextForm {
  // A recursive schema, like `z.json()`: what its parts of the same kind take decides nothing.
  if (underWay.has(schema)) return 'either';
  underWay.add(schema);
  try {
    const def = defOf(unwrapped(schema, 'in'));
    return (forms[def.type] as Form<Def> | undefined)?.(def) ?? 'neither';
  } finally {
    underWay.delete(schema);
  }
}

/** The schemas around the one whose form is asked for. */
const underWay = new Set<z.ZodType>();

type Form<D> = (def: D) => TextForm;

const coerced: Form<object> = (def) => (isCoerced(def) ? 'text' : 'neither');
/** Functions of their author, as of z.preprocess(), may take anything. */
const anything: Form<object> = () => 'either';

/** By kind; nothing that arrives as text fits the others. */
const forms: { readonly [Type in Def['type']]?: Form<Extract<Def, { type: Type }>> } = {
  string: () => 'text',
  template_literal: () => 'text',
  number: coerced,
  boolean: coerced,
  bigint: coerced,
  date: coerced,
  literal: ({ values }) => (values.some(isText) ? 'text' : 'neither'),
  enum: ({ entries }) => (Object.values(entries).some(isText) ? 'text' : 'neither'),
  any: anything,
  unknown: anything,
  custom: anything,
  transform: anything,
  array: ({ element }) => listOf([element]),
  tuple: ({ items, rest }) => listOf(rest === null ? items : [...items, rest]),
  union: ({ options }) => anyOf(options.map(formOfPart)),
  intersection: ({ left, right }) => bothOf(formOfPart(left), formOfPart(right)),
};

function formOfPart(part: z.core.$ZodType): TextForm {
  return textFormOf(part as z.ZodType); // zod types parts by their core, without methods
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function listOf(items: readonly z.core.$ZodType[]): TextForm {
  const fit = items.every((item) => ['text', 'either'].includes(formOfPart(item)));
  return fit ? 'list' : 'neither';
}

function anyOf(all: readonly TextForm[]): TextForm {
  const possible = new Set(all.filter((form) => form !== 'neither'));
  const [only = 'neither'] = possible;
  return possible.size > 1 ? 'either' : only;
}

function bothOf(one: TextForm, other: TextForm): TextForm {
  if (one === 'either') return other;
  return other === 'either' || one === other ? one : 'neither';
}
