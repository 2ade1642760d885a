/** The end of a span: with the failure that caused it, and at the time of a cancellation. */
import type { HrTime } from '@opentelemetry/api';
import { UpstreamError } from '../../errors.ts';
import type { Call } from '../../upstream/call.ts';
import { errorType, isCancelled, messageOf, reasonOf } from '../error-type.ts';
import { markError } from '../scope.ts';
import type { Scope } from '../scope.ts';
import { now } from '../time.ts';

/** Ends a span, as of the time at which its call was cancelled if it was. */
export function endAtAbort(
  { span }: Scope,
  { signal }: Pick<Call, 'signal'>,
  when = (task: () => void): void => task(),
): () => void {
  let endedAt: HrTime | undefined;
  const onAbort = (): void => when(() => (endedAt = now()));
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    signal.removeEventListener('abort', onAbort);
    span.end(endedAt ?? now());
  };
}

/**
 * A cancelled call is no error: its request has ended, or another attempt was faster. Of a failure
 * that is no error only the span of the attempt says so (`isError` is false).
 */
export function describeFailure(scope: Scope, error: unknown, isError = true): void {
  const reason = reasonOf(error);
  if (reason instanceof UpstreamError && reason.status !== undefined) {
    scope.span.setAttribute('http.response.status_code', reason.status);
  }
  if (isCancelled(reason)) scope.span.setAttribute('plait.cancelled', true);
  else if (isError) markError(scope, errorType(reason) ?? 'unknown', messageOf(reason));
}
