/** Number literals: whether a JavaScript `number` would change one, and its exact value then. */
import { toExactBigInt, toUnheld } from './exact-number.ts';
import type { UnheldNumber } from './exact-number.ts';

/** The number of digits of the smallest integer that a `number` changes, 9007199254740993. */
export const shortestRun = 16;

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
export function inexactValue(literal: string): bigint | UnheldNumber | undefined {
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
