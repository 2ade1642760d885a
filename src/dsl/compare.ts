/** `compare`: when two keys of a lookup are the same. */
import { CompositionError } from '../errors.ts';
import { shownValue } from '../shown-value.ts';

export type Compare = 'exact' | 'caseless' | 'number';

/** A text that equal keys have in common; `undefined` if the text is no such key. */
export type Normalise = (text: string) => string | undefined;

const ways: Readonly<Record<Compare, Normalise | undefined>> = {
  exact: undefined,
  caseless,
  number: decimal,
};

export function checkedCompare(compare: unknown, place: string): Compare {
  if (compare === undefined) return 'exact';
  if (compare === 'exact' || compare === 'caseless' || compare === 'number') return compare;
  throw new CompositionError(
    place,
    `compare is ${shownValue(compare)}. Use "exact", "caseless" or "number".`,
  );
}

/** `undefined` where keys are compared as they are. */
export function normaliserOf(compare: Compare): Normalise | undefined {
  return ways[compare];
}

/** In lower case, of which the Greek sigma has two forms (Unicode, CaseFolding.txt). */
function caseless(text: string): string {
  return text.toLowerCase().replaceAll('ς', 'σ');
}

/** `007`, `7.0` and `7` are one number, of whatever length: no digit is rounded. */
function decimal(text: string): string | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/i.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = withoutZerosAtEnd(digits);
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  return `${sign === '-' ? '-' : ''}${significant}e${power}`;
}

/** Not by `/0+$/`, which looks at every end of every run of zeros (ReDoS): clients write keys. */
function withoutZerosAtEnd(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charAt(end - 1) === '0') end -= 1;
  return digits.slice(0, end);
}
