/**
 * Notes which function of an author was begun last, for whoever finds out that it does not end. It
 * is not noted that a function has ended: its caller is on the stack as long as it runs.
 */
export interface Begun {
  readonly composition: string;
  /** Absent: a schema of the request. */
  readonly step: string | undefined;
}

const last: { -readonly [Key in keyof Begun]: Begun[Key] } = { composition: '', step: undefined };

export function noteBegun(composition: string, step?: string): void {
  last.composition = composition;
  last.step = step;
}

export function lastBegun(): Begun {
  return last;
}
