/** The parts of a document that could not be carried over, and the options left to the author. */

/** A part that could not be carried over. */
export interface Finding {
  /** JSON Pointer into the document, as a fragment (RFC 6901, 6): `#/paths/~1orders/get`. */
  readonly pointer: string;
  readonly detail: string;
}

/** An option that would fit, but has consequences that a document does not know. */
export interface Suggestion {
  /** As code: `problem: { … }`. */
  readonly option: string;
  /** The rest of a sentence about it that ends with the operations. */
  readonly effect: string;
  /** The names of the operations that it is for. */
  readonly operations: string[];
}

export interface Report {
  /** Notes a part once, however often it is met. */
  note(pointer: string, detail: string): void;
  /** Suggests an option for an operation. */
  suggest(suggestion: Omit<Suggestion, 'operations'>, operation: string): void;
  readonly findings: readonly Finding[];
  readonly suggestions: readonly Suggestion[];
}

export function createReport(): Report {
  const findings: Finding[] = [];
  const suggestions: Suggestion[] = [];
  return {
    findings,
    note(pointer, detail) {
      const isKnown = findings.some((one) => one.pointer === pointer && one.detail === detail);
      if (!isKnown) findings.push({ pointer, detail });
    },
    suggestions,
    suggest({ option, effect }, operation) {
      const known = suggestions.find((one) => one.option === option && one.effect === effect);
      if (known === undefined) suggestions.push({ option, effect, operations: [operation] });
      else known.operations.push(operation);
    },
  };
}
