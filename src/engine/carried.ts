/** Checks values that functions of an author have made: JSON must be able to carry them. */
import { ExecutionError } from '../errors.ts';
import type { ExecutionErrorKind } from '../errors.ts';
import { NotJsonError, toJsonValue } from '../json-value.ts';

export interface Origin {
  /** The kind of the error. */
  readonly kind: ExecutionErrorKind;
  /** The maker of the value, as the beginning of a sentence. */
  readonly maker: string;
  /** The values for which others in it stand. */
  readonly originals?: ReadonlyMap<unknown, unknown> | undefined;
}

/** @throws ExecutionError naming the kind of value that JSON cannot carry. */
export function carried(value: unknown, { kind, maker, originals }: Origin): unknown {
  try {
    return toJsonValue(value, originals);
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    const message = `${maker} ${error.found}, which JSON cannot carry`;
    throw new ExecutionError(kind, message, { cause: error });
  }
}
