/** Kinds of variables: each parses a text, or says what was found and what would be right. */
import { z } from 'zod';
import { shown, splitList } from '../url.ts';

/** Messages follow the name of the variable: `is "x". Use a whole number.` */
export function isNot(advice: string): { error: (issue: { readonly input?: unknown }) => string } {
  return { error: ({ input }) => `is ${shown(String(input))}. ${advice}` };
}

/** The problems of variables, each on a line that begins with its name. */
export function linesOf(issues: readonly z.core.$ZodIssue[]): string {
  return issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('\n');
}

/** A whole number, both ends included. */
export function wholeNumber(min: number, max: number, unit = '') {
  const ofUnit = unit === '' ? '' : ` of ${unit}`;
  const range = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
  return z
    .string()
    .refine((text) => isWholeNumber(text, min, max), isNot(`Use a whole number${ofUnit} ${range}.`))
    .transform(Number);
}

export const port = wholeNumber(0, 65_535);

/** A whole number, both ends included, or none: `off` or `0`. */
export function wholeNumberOrOff(min: number, max: number, unit: string) {
  return z
    .string()
    .refine(
      (text) => isOff(text) || isWholeNumber(text, min, max),
      isNot(`Use a whole number of ${unit} from ${min} to ${max}, or off.`),
    )
    .transform((text) => (isOff(text) ? 'off' : Number(text)));
}

function isOff(text: string): boolean {
  return text === 'off' || text === '0';
}

function isWholeNumber(text: string, min: number, max: number): boolean {
  const number = Number(text);
  // `Number` reads `0x50` and `1e3` as well, which nobody means here.
  return (
    /^\d+$/.test(text.trim()) && Number.isSafeInteger(number) && number >= min && number <= max
  );
}

/** A number from 0 to 1; without `zero` it is more than 0. */
export function share({ zero, example }: { readonly zero: boolean; readonly example: number }) {
  const fits = (text: string): boolean => {
    const number = Number(text);
    return (zero ? number >= 0 : number > 0) && number <= 1;
  };
  const range = zero ? 'from 0 to 1' : 'above 0 and up to 1';
  return z
    .string()
    .refine(fits, isNot(`Use a number ${range}, as in ${example}.`))
    .transform(Number);
}

/** One of `names`. */
export function oneOf<const Name extends string>(names: readonly Name[], hint = '') {
  return z.enum(names, isNot(`Use ${alternatives(names)}${hint}.`));
}

/** `a, b or c` */
function alternatives(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter(Boolean).join(' or ');
}

/** Whether a name is usual for a header or parameter that carries credentials. */
export function soundsSecret(name: string): boolean {
  return /auth|cookie|csrf|token|secret|session|passw|api-?_?key|signature/i.test(name);
}

/** A list separated by commas. A part for which `parse` gives `undefined` is refused. */
export function listOf<Part>(
  parse: (part: string) => Part | undefined,
  advice: string,
  { skipBlank = false } = {},
) {
  return z.string().transform((text, context): readonly Part[] => {
    return splitList(text).flatMap((part) => {
      if (skipBlank && part === '') return [];
      const parsed = parse(part);
      if (parsed !== undefined) return [parsed];
      context.addIssue({
        code: 'custom',
        message: `contains ${shown(part, text)}. ${advice}`,
      });
      return [];
    });
  });
}
