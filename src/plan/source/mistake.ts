/** The mistakes that the source of `compose` shows, in words for its author. */

export type MistakeKind =
  | 'branches'
  | 'looks'
  | 'awaits'
  | 'captures'
  | 'describes'
  | 'volatile'
  | 'catches';

/** A mistake, where it was made. */
export interface Mistake {
  readonly kind: MistakeKind;
  /** The function that makes it: `compose()`. */
  readonly maker: string;
  /** The source of what is wrong. */
  readonly text: string;
  /** File and line in brackets, as far as they are known. */
  readonly place: string;
}

const noValue = 'which is a reference: it has no value until a request is served';

export function sayMistake({ kind, maker, text, place }: Mistake): string {
  return `${maker} ${wordsFor(kind, text)}${place}`;
}

function wordsFor(kind: MistakeKind, text: string): string {
  switch (kind) {
    case 'branches':
      return (
        `branches on \`${text}\`, ${noValue}, and is always truthy here. Use given() for a value ` +
        'that may be absent, and map() to compute.'
      );
    case 'looks':
      return (
        `evaluates \`${text}\` on a reference, which has no value until a request is served. ` +
        'Compute it in map(), which gets the value as an input.'
      );
    case 'awaits':
      return (
        `awaits \`${text}\`, ${noValue}. Steps wait for each other by themselves: pass the ` +
        'reference on, and use map() to compute with its value.'
      );
    case 'captures':
      return (
        `uses \`${text}\` in a function given to map(), ${noValue}. Pass it as an input of map(), ` +
        'as in map({ order, payment }, ({ order, payment }) => …).'
      );
    case 'describes':
      return (
        `has \`${text}\` in a function given to map(), which runs on values while a request is ` +
        'served, when no step can be added. Move it out of map(): call() takes references as its ' +
        'arguments, given() is for what may be absent, and each() for the items of a list.'
      );
    case 'volatile':
      return (
        `evaluates \`${text}\`, but compose() runs once, at start-up: every request would get the ` +
        `same value. Evaluate it in map(), which runs for each request: map({}, () => …).`
      );
    case 'catches':
      return (
        `has \`${text}\` inside try/catch, which can never catch its failure: compose() only ` +
        'describes calls, and they fail while a request is served. Use optional() for null in ' +
        'place of a failed step, or fallback() for a value.'
      );
    default:
      return kind satisfies never;
  }
}
