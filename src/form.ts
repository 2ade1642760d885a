/** Bodies of forms (`application/x-www-form-urlencoded`): names and values, which may repeat. */
import type { z } from 'zod';
import { oncePerSchema } from './once-per-schema.ts';
import { declaredFields } from './schema.ts';
import { textFormOf } from './text-form.ts';

/** Text that is no form. The message does not quote it. */
export class NotFormError extends Error {
  override readonly name = 'NotFormError';
}

/** More than any form has: each takes more time than a field of JSON. */
const mostFields = 10_000;

/**
 * The fields of a form as they are given to `schema`: a name that is repeated, or that the schema
 * has as a list, is a list of texts. `__proto__` is dropped, as in JSON.
 *
 * @throws NotFormError for escapes that are none, or none of UTF-8, or more than 10,000 fields.
 */
export function parseForm(schema: z.ZodType, text: string): Readonly<Record<string, unknown>> {
  const values = new Map<string, string[]>();
  const pairs = text.split('&', mostFields + 1);
  if (pairs.length > mostFields) throw new NotFormError(`has more than ${mostFields} fields`);
  for (const pair of pairs) {
    if (pair === '') continue;
    const end = pair.indexOf('=');
    const name = decoded(end === -1 ? pair : pair.slice(0, end));
    const value = end === -1 ? '' : decoded(pair.slice(end + 1));
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  values.delete('__proto__');
  const lists = listsOf(schema);
  return Object.fromEntries(
    [...values].map(([name, all]) => [name, all.length > 1 || lists.has(name) ? all : all[0]]),
  );
}

/** The fields that only a list of texts fits. */
const listsOf = oncePerSchema((schema) => {
  const fields = Object.entries(declaredFields(schema, 'in'));
  return new Set(fields.flatMap(([name, field]) => (textFormOf(field) === 'list' ? [name] : [])));
});

function decoded(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Without the cause, whose message might quote the text.
    throw new NotFormError('has an invalid percent-encoding');
  }
}
