/** Finds numbers in JSON text that a JavaScript `number` would change, and keeps them exactly. */
import { randomBytes } from 'node:crypto';
import type { UnheldNumber } from './exact-number.ts';
import { inexactValue, shortestRun } from './number-literal.ts';

/** JSON text contains too many numbers that no JavaScript type can hold. */
export class TooManyNumbersError extends SyntaxError {
  override readonly name = 'TooManyNumbersError';

  constructor() {
    super(`JSON has more than ${mostUnheld} numbers that JavaScript cannot hold`);
  }
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
