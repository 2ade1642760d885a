/** `error.type` (OpenTelemetry): the kind of an error, from a small set of words. */
import { StepError } from '../engine/step-error.ts';
import { ExecutionError, UnavailableError, UpstreamError, errorName } from '../errors.ts';

/** The kind of an error; `undefined` for anything that is not an `Error`. */
export function errorType(error: unknown): string | undefined {
  const reason = reasonOf(error);
  if (reason instanceof UpstreamError)
    return reason.kind === 'status' ? String(reason.status) : reason.kind;
  if (reason instanceof ExecutionError) return reason.kind;
  if (reason instanceof UnavailableError) return 'unavailable';
  return reason instanceof Error ? errorName(reason) : undefined;
}

/** The message of an error of ours, which never holds a secret; those of others might. */
export function messageOf(error: unknown): string | undefined {
  const ours = [StepError, UpstreamError, ExecutionError, UnavailableError];
  const isOurs = ours.some((known) => error instanceof known);
  return isOurs && error instanceof Error ? error.message : undefined;
}

/** Cancelled because nobody waits any more, which is not an error. */
export function isCancelled(error: unknown): boolean {
  const type = errorType(error);
  return type === 'disconnected' || type === 'aborted';
}

/** The reason behind a step's failure, or behind a call that was abandoned. */
export function reasonOf(error: unknown): unknown {
  if (error instanceof StepError) return reasonOf(error.reason);
  const isLeft = error instanceof UpstreamError && error.kind === 'aborted';
  return isLeft && error.cause instanceof ExecutionError ? error.cause : error;
}

/** An answer of 4xx, or none at all to a lookup's key. */
export function isOrdinaryAnswer(reason: unknown): boolean {
  if (!(reason instanceof UpstreamError)) return false;
  const { kind, status = 0 } = reason;
  return kind === 'missing' || (kind === 'status' && status >= 400 && status < 500);
}

/** The status of the answer that was a failure, if there was one. */
export function statusOf(failure: unknown): number | undefined {
  const reason = reasonOf(failure);
  return reason instanceof UpstreamError ? reason.status : undefined;
}
