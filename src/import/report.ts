/** The parts of a document that could not be carried over, and the options left to the author. */

/** A part that could not be carried over. */
export interface Finding {
  /** JSON Pointer into the document, as a fragment (RFC 6901, 6): `#/paths/~1orders/get`. */
  readonly pointer: string;
  readonly detail: string;
}

/** An option that would fit, but has consequences that a document does not know. */
export interface Suggestion {
  /** The option, and what it would do. */
  readonly text: string;
  /** The names of the operations that it is for. */
  readonly operations: readonly string[];
}

export interface Report {
  /** Notes a part once, however often it is met. */
  note(pointer: string, detail: string): void;
  /** Suggests an option for an operation. */
  suggest(text: string, operation: string): void;
  readonly findings: readonly Finding[];
  suggestions(): readonly Suggestion[];
}

export function createReport(): Report {
  const findings: Finding[] = [];
  const suggested = new Map<string, string[]>();
  return {
    findings,
    note(pointer, detail) {
      const isKnown = findings.some((one) => one.pointer === pointer && one.detail === detail);
      if (!isKnown) findings.push({ pointer, detail });
    },
    suggest(text, operation) {
      suggested.set(text, [...(suggested.get(text) ?? []), operation]);
    },
    suggestions: () => [...suggested].map(([text, operations]) => ({ text, operations })),
  };
}
