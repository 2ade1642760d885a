/** The parts of a document that could not be carried over. */

/** One such part. */
export interface Finding {
  /** JSON Pointer into the document, as a fragment (RFC 6901, 6): `#/paths/~1orders/get`. */
  readonly pointer: string;
  readonly detail: string;
}

export interface Report {
  /** Notes a part once, however often it is met. */
  note(pointer: string, detail: string): void;
  readonly findings: readonly Finding[];
}

export function createReport(): Report {
  const findings: Finding[] = [];
  return {
    findings,
    note(pointer, detail) {
      const isKnown = findings.some((one) => one.pointer === pointer && one.detail === detail);
      if (!isKnown) findings.push({ pointer, detail });
    },
  };
}
