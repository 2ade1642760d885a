/** `problem`: the parts of a service's validation problem that the client gets. */
import { CompositionError } from '../errors.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { parsePath } from './path.ts';
import type { Path } from './path.ts';

/** Paths of field names with dots between, in the body of a 400 or 422. */
export interface ProblemConfig {
  /** The path to the list of what is wrong: `errors`. */
  readonly errors: string;
  /**
   * In an entry, the path to the place that is wrong: a JSON Pointer, a path with dots, or a list
   * of names. Default: entries say no place.
   */
  readonly pointer?: string;
  /** In an entry, the path to the text that says what is wrong. */
  readonly detail: string;
}

/** The rule, checked. */
export interface ProblemRule {
  readonly errors: Path;
  readonly pointer: Path | undefined;
  readonly detail: Path;
}

export function checkedProblem(
  config: ProblemConfig | undefined,
  { method, place }: { readonly method: string; readonly place: string },
): ProblemRule | undefined {
  if (config === undefined) return undefined;
  refuseUnknownKnobs(config, ['errors', 'pointer', 'detail'], place, 'problem');
  if (method === 'HEAD')
    throw new CompositionError(
      place,
      'problem reads the body of a 400 or 422, but the answer to a HEAD has none. Remove it.',
    );
  const { errors, pointer, detail } = config;
  return Object.freeze({
    errors: parsePath(errors, 'problem.errors', place),
    pointer: pointer === undefined ? undefined : parsePath(pointer, 'problem.pointer', place),
    detail: parsePath(detail, 'problem.detail', place),
  });
}
