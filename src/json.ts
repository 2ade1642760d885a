/**
 * JSON from outside → values, safe from prototype pollution and deep nesting; and JSON Pointers.
 */
import secureJsonParse from 'secure-json-parse';
import { parseExactly } from './json-numbers.ts';
import { toRawJson } from './exact-number.ts';
import { fieldOf, hasField } from './plain-object.ts';

const tooDeep = 'JSON is nested deeper than';

/** Whether `parseJson` has refused a text for its nesting. */
export function isTooDeep(error: unknown): boolean {
  return error instanceof SyntaxError && error.message.startsWith(tooDeep);
}

const blank = /^\uFEFF?[ \t\r\n]*$/;

/** Whether a text is empty or white space (RFC 8259, 2), which says as little as no body at all. */
export function isBlank(text: string): boolean {
  return text.length === 0 || (text.charCodeAt(0) !== openBrace && blank.test(text));
}

/** `{`, with which most bodies begin. */
const openBrace = 0x7b;

/**
 * Parses JSON text (RFC 8259). Keys named `__proto__`, and `constructor` with a `prototype`, are
 * dropped; nesting deeper than `maxDepth` is refused before it is parsed. Numbers that a `number`
 * would change become a `bigint` or an `UnheldNumber`.
 *
 * @throws SyntaxError when the text is not JSON or is nested too deeply.
 */
export function parseJson(text: string, maxDepth = 64): unknown {
  if (text.length > maxDepth && isDeeperThan(text, maxDepth)) {
    throw new SyntaxError(`${tooDeep} ${maxDepth} levels`);
  }
  return parseExactly(text, parseSafely);
}

function parseSafely(text: string): unknown {
  return secureJsonParse.parse(text, { protoAction: 'remove', constructorAction: 'remove' });
}

/**
 * Parses JSON text without these checks, for readers that look at nothing but the fields they know.
 * A byte order mark is ignored (RFC 8259, 8.1).
 */
export function parsePlainJson(text: string): unknown {
  return parseExactly(text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text, JSON.parse);
}

/** The JSON text of a value; a `bigint` is written as an integer. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Only if it is needed: a replacer makes `JSON.stringify` several times slower.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, toRawInteger);
  }
}

function toRawInteger(_: string, part: unknown): unknown {
  return typeof part === 'bigint' ? toRawJson(String(part)) : part;
}

const byteOrderMark = 0xfeff;
const quote = 0x22;
const backslash = 0x5c;

/** Counts brackets outside strings. Iterative, since it protects against deep recursion. */
function isDeeperThan(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === backslash) index += 1;
      else if (code === quote) inString = false;
      continue;
    }
    if (code === quote) inString = true;
    // `[` and `{` differ in one bit, and so do `]` and `}`.
    else if ((code | 0x20) === 0x7b) depth += 1;
    else if ((code | 0x20) === 0x7d) depth -= 1;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** The JSON Pointer (RFC 6901) of a path: `/orders/3/payment`. */
export function toPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${escaped(String(key))}`).join('');
}

function escaped(token: string): string {
  return /[~/]/.test(token) ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token;
}

/** The part of a value at the end of a path; `undefined` if there is none. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((part, key) => fieldOf(part, key), value);
}

/** The path to a part of a value, by the identity of the part. */
export function pathOf(
  value: unknown,
  part: unknown,
  maxDepth = 64,
): readonly PropertyKey[] | undefined {
  if (value === part) return [];
  if (typeof value !== 'object' || value === null || maxDepth === 0) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const path = pathOf(inner, part, maxDepth - 1);
    if (path !== undefined) return [Array.isArray(value) ? Number(key) : key, ...path];
  }
  return undefined;
}

/** Whether a JSON Pointer points at a part of `value` that exists. */
export function pointsInto(value: unknown, pointer: string): boolean {
  let current = value;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!hasField(current, key)) return false;
    current = current[key];
  }
  return true;
}
