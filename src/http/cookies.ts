/** Reads the `Cookie` header (RFC 6265, 4.2 and 5.4). */
import { trimBlanks } from '../trim-blanks.ts';

/** The cookies of a request by their names, each with all of its values. */
export type Cookies = ReadonlyMap<string, readonly string[]>;

/**
 * The cookies with one of `names`. Names are compared exactly, values are taken as they are: quotes
 * and percent signs are a part of them. A part without `=` is no cookie.
 */
export function readCookies(header: string | undefined, names: ReadonlySet<string>): Cookies {
  const found = new Map<string, string[]>();
  for (const part of header?.split(';') ?? []) {
    const at = part.indexOf('=');
    if (at === -1) continue;
    const name = trimBlanks(part.slice(0, at));
    if (!names.has(name)) continue;
    const value = trimBlanks(part.slice(at + 1));
    const before = found.get(name);
    if (before === undefined) found.set(name, [value]);
    else before.push(value);
  }
  return found;
}

/** The problem with the values that were sent for one cookie. */
export function cookieProblem(values: readonly string[]): string | undefined {
  if (values.length > 1) return 'is given more than once';
  return isAscii(values[0] ?? '') ? undefined : notAscii;
}

/** Of other bytes in a header, nothing says which characters they are (RFC 9110, 5.5). */
export function isAscii(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text);
}

export const notAscii = 'has characters that are not ASCII: encode them';
