/** `error.type` (OpenTelemetry): one word for what went wrong, from a small set. */
import { StepError } from '../engine/step-error.ts';
import { ExecutionError, UnavailableError, UpstreamError, nameOf } from '../errors.ts';

/** The word for an error; `undefined` when nothing was thrown that has one. */
export function errorType(error: unknown): string | undefined {
  const reason = reasonOf(error);
  if (reason instanceof UpstreamError)
    return reason.kind === 'status' ? String(reason.status) : reason.kind;
  if (reason instanceof ExecutionError) return reason.kind;
  return reason instanceof Error ? nameOf(reason) : undefined;
}

/** Our own messages never hold a secret; those of foreign errors might. */
export function messageOf(error: unknown): string | undefined {
  const ours = [StepError, UpstreamError, ExecutionError, UnavailableError];
  const isOurs = ours.some((known) => error instanceof known);
  return isOurs && error instanceof Error ? error.message : undefined;
}

/** Called off, since nobody waits any more: no error of anybody. */
export function isCancelled(error: unknown): boolean {
  const type = errorType(error);
  return type === 'disconnected' || type === 'aborted';
}

/** What is behind the failure of a step, or the end of a call that nobody waits for any more. */
export function reasonOf(error: unknown): unknown {
  if (error instanceof StepError) return reasonOf(error.reason);
  const isLeft = error instanceof UpstreamError && error.kind === 'aborted';
  return isLeft && error.cause instanceof ExecutionError ? error.cause : error;
}
