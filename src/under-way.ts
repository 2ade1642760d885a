/**
 * Notes which function of an author was begun last, for whoever finds out that it does not end. It
 * is not noted that a function has ended: its caller is on the stack as long as it runs.
 */
export interface Begun {
  readonly composition: string;
  /** Absent: a schema of the request. */
  readonly step: string | undefined;
  /** The operation whose answer was read last. */
  readonly answered: Answered | undefined;
}

/** An operation, which has a name, of a service, which has one, too. */
interface Answered {
  readonly name: string;
  readonly service: { readonly name: string };
}

const last: { -readonly [Key in keyof Begun]: Begun[Key] } = {
  composition: '',
  step: undefined,
  answered: undefined,
};

export function noteBegun(composition: string, step?: string): void {
  last.composition = composition;
  last.step = step;
}

/** Notes that the functions of an operation's schemas may be run. */
export function noteAnswered(operation: Answered): void {
  last.answered = operation;
}

export function lastBegun(): Begun {
  return last;
}
