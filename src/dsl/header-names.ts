/** Checks the names and schemas of headers in declarations. */
import type { z } from 'zod';
import { isHeaderName } from '../headers.ts';
import { unwrapped } from '../schema.ts';
import { textFormOf } from '../text-form.ts';
import { withArticle } from '../shown-value.ts';

/** The rest of a sentence that begins with the name of a header; `undefined` if it can be used. */
export function headerNameProblem(name: string): string | undefined {
  if (name !== name.toLowerCase()) return `is not in lower case. Write "${name.toLowerCase()}".`;
  if (isHeaderName(name)) return undefined;
  return 'is not a valid header name. Use letters, digits and hyphens, as in "accept-language".';
}

/** The rest of a sentence about a header whose schema does not fit what arrives: text. */
export function headerTextProblem(
  schema: z.ZodType,
  { isList }: { readonly isList: boolean },
): string | undefined {
  const form = textFormOf(schema);
  const { type } = unwrapped(schema, 'in').def;
  if (isList) {
    if (form === 'list' || form === 'either') return undefined;
    return `expects ${withArticle(type)}, but is a list of texts. Use z.array(z.string()).`;
  }
  if (form === 'text' || form === 'either') return undefined;
  const advice =
    type === 'array' || type === 'tuple'
      ? 'z.string(): a header that is sent several times is joined by commas'
      : 'z.coerce, as in z.coerce.number()';
  return `expects ${withArticle(type)}, but arrives as text. Use ${advice}.`;
}
