/**
 * Exact numbers: those in JSON text that a JavaScript `number` would change are found by one scan
 * of the text, kept as a `bigint` or as their digits, and written as they came.
 */
import { randomBytes } from 'node:crypto';

/** Makes text that `JSON.stringify` writes as it is. TypeScript does not know it yet. */
export const { rawJSON: toRawJson, isRawJSON: isRawJson } = JSON as unknown as {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
};

/**
 * A number that no JavaScript type can hold, such as `1e400`. It is a function, since schemas would
 * accept an object as an empty one. `JSON.stringify` writes its digits, and arithmetic throws.
 */
export type UnheldNumber = (() => never) & { readonly toJSON: () => unknown };

/** A number that no JavaScript type can hold was used in arithmetic or in a comparison. */
export class UnheldNumberError extends Error {
  override readonly name = 'UnheldNumberError';
  readonly number: unknown;

  constructor(number: unknown) {
    super('a number of the JSON text is too long, too large or too small for JavaScript');
    this.number = number;
  }
}

/** JSON text contains too many numbers that no JavaScript type can hold. */
export class TooManyNumbersError extends SyntaxError {
  override readonly name = 'TooManyNumbersError';

  constructor() {
    super(`JSON has more than ${mostUnheld} numbers that JavaScript cannot hold`);
  }
}

export function isUnheld(value: unknown): value is UnheldNumber {
  return typeof value === 'function' && literals.has(value);
}

/** Whether a value is a number that was kept exactly, whose digits `String` gives. */
export function isExactNumber(value: unknown): value is bigint | UnheldNumber {
  return typeof value === 'bigint' || isUnheld(value);
}

/** Whether this process has parsed such a number; until then, values need not be searched. */
export function hasMetUnheld(): boolean {
  return hasMet;
}

let hasMet = false;

const literals = new WeakMap<object, string>();

const unheldMethods: object = Object.assign(Object.create(Function.prototype) as object, {
  toJSON(this: object): unknown {
    return toRawJson(literals.get(this) ?? 'null');
  },
  toString(this: object): string {
    return literals.get(this) ?? '';
  },
  [Symbol.toPrimitive](this: object, hint: string): string {
    if (hint === 'string') return literals.get(this) ?? '';
    throw new UnheldNumberError(this);
  },
});

export function toUnheld(literal: string): UnheldNumber {
  const unheld = (): never => {
    throw new UnheldNumberError(unheld);
  };
  Object.setPrototypeOf(unheld, unheldMethods);
  literals.set(unheld, literal);
  hasMet = true;
  return unheld as UnheldNumber; // its methods come from the prototype
}

/** The nearest finite number: JSON has no infinity. */
export function toRounded(value: bigint | UnheldNumber): number {
  const number = Number(String(value));
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, number));
}

/** The integer that a number is in JSON; `undefined` if it is not an integer or was rounded. */
export function toExactBigInt(value: number): bigint | undefined {
  if (!Number.isInteger(value)) return undefined;
  if (Number.isSafeInteger(value)) return BigInt(value);
  const exact = BigInt(value);
  return exact === shownInteger(value) ? exact : undefined;
}

/** The integer that `JSON.stringify` writes for a large number, rounded to 17 digits. */
function shownInteger(value: number): bigint {
  const [digits = '', exponent = '0'] = String(value).split('e+');
  const [whole = '', fraction = ''] = digits.split('.');
  return BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length);
}

/** A number literal that JavaScript would change. */
interface Inexact {
  readonly start: number;
  readonly end: number;
  readonly value: bigint | UnheldNumber;
}

/**
 * Parses by `parse` and keeps numbers exactly: long integers as `bigint`, and numbers that no type
 * can hold as `UnheldNumber`. Most texts contain neither, and cost one scan.
 */
export function parseExactly(text: string, parse: (text: string) => unknown): unknown {
  const found = inexactNumbers(text);
  return found.length === 0 ? parse(text) : parseMarked(text, found, parse);
}

/** Random, so that no text from outside contains it. Short, since it may be used many times. */
const marker = randomBytes(12).toString('base64url');

/** Parses with marked texts instead of the numbers: a reviver would take twenty times as long. */
function parseMarked(
  text: string,
  found: readonly Inexact[],
  parse: (text: string) => unknown,
): unknown {
  const pieces: string[] = [];
  let from = 0;
  for (const [index, { start, end }] of found.entries()) {
    pieces.push(text.slice(from, start), `"${marker}${index}"`);
    from = end;
  }
  pieces.push(text.slice(from));
  let marked: unknown;
  try {
    marked = parse(pieces.join(''));
  } catch {
    return parse(text); // throws an error about the text as it came
  }
  return unmarked(marked, found);
}

/** Replaces the marked texts by the numbers. Iterative, since values may be nested deeply. */
function unmarked(value: unknown, found: readonly Inexact[]): unknown {
  const root = { value };
  const containers: Record<PropertyKey, unknown>[] = [root];
  for (let container = containers.pop(); container !== undefined; container = containers.pop()) {
    // A list is much faster by its numbers.
    if (Array.isArray(container))
      for (let index = 0; index < container.length; index += 1) unmark(container, index);
    else for (const key in container) unmark(container, key);
  }
  return root.value;

  function unmark(container: Record<PropertyKey, unknown>, key: PropertyKey): void {
    const part = container[key];
    if (typeof part === 'object' && part !== null)
      containers.push(part as Record<PropertyKey, unknown>); // all objects have keys
    else if (typeof part === 'string' && part.startsWith(marker))
      container[key] = found[Number(part.slice(marker.length))]?.value;
  }
}

/** The number of digits of the smallest integer that a `number` changes, 9007199254740993. */
const shortestRun = 16;

/** The most in one text. Each costs microseconds and 100 bytes, and 1 MiB has room for 170,000. */
const mostUnheld = 1_000;

const none: readonly Inexact[] = [];

/**
 * The numbers that JavaScript would change. They contain 16 successive digits, a point included, or
 * an exponent of three digits or more.
 *
 * @throws TooManyNumbersError if no type can hold more than `mostUnheld` of them.
 */
function inexactNumbers(text: string): readonly Inexact[] {
  let found: Inexact[] | undefined;
  let unheld = 0;
  const add = (inexact: Inexact | undefined): void => {
    if (inexact === undefined) return;
    if (typeof inexact.value !== 'bigint' && (unheld += 1) > mostUnheld)
      throw new TooManyNumbersError();
    (found ??= []).push(inexact);
  };
  // Such a run has a digit at one of the places that are looked at.
  for (let at = shortestRun - 1; at < text.length; at += shortestRun) {
    if (!isDigitOrPoint(text.charCodeAt(at))) continue;
    const run = runAt(text, at);
    if (run.end - run.start < shortestRun) continue;
    const number = numberAround(text, run);
    add(inexactAt(text, number));
    at = number.end - 1; // so that no part of the text is looked at twice
  }
  longExponent.lastIndex = 0;
  for (let match = longExponent.exec(text); match !== null; match = longExponent.exec(text)) {
    const number = numberAround(text, { start: match.index, end: match.index + 1 });
    longExponent.lastIndex = number.end;
    add(inexactAt(text, number));
  }
  return found === undefined ? none : outsideStrings(text, found);
}

const longExponent = /\d[eE][+-]?\d{3}/g;

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The digits and points around one of them. */
function runAt(text: string, at: number): Span {
  let start = at;
  while (isDigitOrPoint(text.charCodeAt(start - 1))) start -= 1;
  let end = at + 1;
  while (isDigitOrPoint(text.charCodeAt(end))) end += 1;
  return { start, end };
}

/** The number that contains such a run. */
function numberAround(text: string, run: Span): Span {
  let { start, end } = run;
  while (isOfNumber(text.charCodeAt(start - 1))) start -= 1;
  while (isOfNumber(text.charCodeAt(end))) end += 1;
  return { start, end };
}

function isDigitOrPoint(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e;
}

function isOfNumber(code: number): boolean {
  // `E`, `e`, `+` and `-`.
  return isDigitOrPoint(code) || (code | 0x20) === 0x65 || code === 0x2b || code === 0x2d;
}

/** The number at an index; `undefined` if there is none, or if JavaScript can hold it. */
function inexactAt(text: string, { start, end }: Span): Inexact | undefined {
  // Only these precede a value: most digits in strings are ruled out without being read.
  if (start > 0 && !beforeValues.has(text.charCodeAt(start - 1))) return undefined;
  const value = inexactValue(text.slice(start, end));
  return value === undefined ? undefined : { start, end, value };
}

const beforeValues = new Set(Array.from('[:, \t\r\n\uFEFF', (char) => char.charCodeAt(0)));

/** Whether `Number` would change the number that a text is, such as a value of a query. */
export function isInexactText(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed.length < shortestRun && !/[eE]/.test(trimmed)) return false;
  if (/^0[box]/i.test(trimmed)) return Number(trimmed) > Number.MAX_SAFE_INTEGER;
  // `Number` also reads `+1`, `01`, `.1` and `1.`, which are not JSON.
  const literal = trimmed
    .replace(/^\+/, '')
    .replace(/^(-?)0+(?=\d)/, '$1')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.(?=$|e)/i, '');
  return inexactValue(literal) !== undefined;
}

/** RFC 8259, 6. */
const numberLiteral = /^(-?(?:0|[1-9]\d*))(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Fractions with too few digits to be changed, such as coordinates. */
const shortFraction = /^-?(?=.{3,18}$)(?:0|[1-9]\d*)\.\d*[1-9]$/;

/** Those without an exponent that are not too long for a `bigint`. */
const plainInteger = /^-?[1-9]\d{0,4094}$/;

/** Whether it is certain that `JSON.stringify` writes other digits. */
function isWrittenOtherwise(literal: string, number: number): boolean {
  // Shorter ones are written without an exponent, longer ones with at most 17 digits before zeros.
  return literal.length <= 21 ? String(number) !== literal : !literal.endsWith('0');
}

/** The most digits of a `bigint`: more would take too long. */
const mostDigits = 4_096;

/** The exact value of a literal; `undefined` if a `number` can hold it. */
function inexactValue(literal: string): bigint | UnheldNumber | undefined {
  if (literal.length <= 18 && shortFraction.test(literal)) return undefined;
  if (plainInteger.test(literal)) {
    const number = Number(literal);
    if (Number.isSafeInteger(number)) return undefined;
    // Most that are changed are told by that, at a fraction of what comparing them takes.
    if (isWrittenOtherwise(literal, number)) return BigInt(literal);
  }
  const match = numberLiteral.exec(literal);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', exponent] = match;
  if (exponent !== undefined || /[1-9]/.test(fraction)) {
    if (!isHeldFraction(literal, whole + fraction)) return toUnheld(literal);
    return changedInteger(literal, whole + fraction, Number(exponent ?? 0) - fraction.length);
  }
  return whole.length > mostDigits ? toUnheld(literal) : inexactInteger(whole);
}

function inexactInteger(digits: string): bigint | undefined {
  const exact = BigInt(digits);
  const number = Number(digits);
  const isHeld =
    Number.isFinite(number) && BigInt(number) === exact && toExactBigInt(number) === exact;
  return isHeld ? undefined : exact;
}

/** Enough digits to distinguish any two doubles (RFC 8259, 6). */
const mostSignificant = 17;

function isHeldFraction(literal: string, digits: string): boolean {
  const significant = significantDigits(digits);
  if (significant === 0) return true;
  const number = Number(literal);
  return significant <= mostSignificant && number !== 0 && Number.isFinite(number);
}

/**
 * The integer that is written with an exponent, as `9007199254740993e0` or `9.007199254740993e15`,
 * if the `number` has other digits; services that write a `number` by 17 digits write its own.
 */
function changedInteger(literal: string, digits: string, scale: number): bigint | undefined {
  const significant = significantDigits(digits);
  if (significant < shortestRun) return undefined;
  const zeros = scale + digits.length - digits.replace(/0+$/, '').length;
  if (zeros < 0) return undefined;
  const [shown = ''] = Number(literal).toPrecision(significant).split('e');
  const own = trimmedZeros(digits);
  const isSame = trimmedZeros(shown.replace('.', '')) === own;
  return isSame ? undefined : BigInt(own) * 10n ** BigInt(zeros);
}

/** Without the zeros at both ends. */
function trimmedZeros(digits: string): string {
  return digits.replace(/^(-?)0+/, '$1').replace(/0+$/, '');
}

function significantDigits(digits: string): number {
  const first = digits.search(/[1-9]/);
  let end = digits.length;
  while (digits.charAt(end - 1) === '0') end -= 1;
  return first === -1 ? 0 : end - first;
}

/** The numbers that are not within a string, in order. */
function outsideStrings(text: string, found: readonly Inexact[]): readonly Inexact[] {
  const inOrder = found.toSorted((a, b) => a.start - b.start);
  let at = 0;
  let last = -1;
  return inOrder.filter(({ start }) => {
    if (start === last) return false; // found by its digits and by its exponent
    last = start;
    while (at < start) at = text.charCodeAt(at) === quote ? endOfString(text, at) : at + 1;
    return at === start;
  });
}

const quote = 0x22;
const backslash = 0x5c;

/** The index after the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote)
    at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at + 1;
}
