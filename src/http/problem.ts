/** A problem: an error as the client sees it (RFC 9457). */

/** Everything that a client learns of an error: never an upstream's body, address or stack. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** The step that failed. */
  readonly step?: string;
  readonly errors?: readonly {
    /** Where it is in the client's request, if it is known. */
    readonly in?: string;
    readonly pointer?: string;
    readonly detail: string;
  }[];
  /** In seconds, for the `Retry-After` header. */
  readonly retryAfter?: number;
  /** Further headers of a response that consists of the problem. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The `type` of the problems of one kind. */
export function typeOf(kind: string): string {
  return `urn:plait:problem:${kind}`;
}
