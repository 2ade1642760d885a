/**
 * Exact numbers: the values of numbers in JSON that a JavaScript `number` would change. They are a
 * `bigint`, or their digits where no type can hold them, and are written as they came.
 */

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
