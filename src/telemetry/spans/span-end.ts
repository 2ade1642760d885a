/** The end of a span: with the failure that caused it, and at the time of a cancellation. */
import type { HrTime } from '@opentelemetry/api';
import type { Call } from '../../upstream/call.ts';
import { errorType, isCancelled, messageOf, reasonOf } from '../error-type.ts';
import { markError } from '../scope.ts';
import type { Scope } from '../scope.ts';
import { afterFailure, failureTime, now } from '../time.ts';

/** Ends a span. Of a failure that is no error only the span of the attempt says so. */
export type EndSpan = (failure?: unknown, isError?: boolean) => void;

type Ended = Pick<Call, 'signal'>;

/** Ends the span of an attempt or a batch, as of the time at which that was aborted if it was. */
export function endAtAbort(scope: Scope, { signal }: Ended): EndSpan {
  const abortTime = watchAbort(signal);
  return function endSpan(failure, isError = true) {
    const at = abortTime() ?? now();
    if (failure !== undefined) describeFailure(scope, failure, { at, isError });
    scope.span.end(at);
  };
}

/**
 * Ends the span of a step: if it was cancelled, together with its calls, and before the step that
 * has failed ends. Otherwise Jaeger, whose critical path follows what ends last, would blame it.
 */
export function endStepAtAbort(scope: Scope, { signal }: Ended): EndSpan {
  const abortTime = watchAbort(signal);
  return function endSpan(failure, isError = true) {
    const abortedAt = abortTime();
    if (failure === undefined) return scope.span.end(now());
    const at = isCancelled(failure) ? (abortedAt ?? now()) : afterFailure();
    describeFailure(scope, failure, { at, isError });
    scope.span.end(at);
  };
}

/** The returned function stops watching, and gives the time of the abort if there was one. */
function watchAbort(signal: Call['signal']): () => HrTime | undefined {
  let abortedAt: HrTime | undefined;
  const onAbort = (): void => void (abortedAt = failureTime());
  signal.addEventListener('abort', onAbort, { once: true });
  return function abortTime() {
    signal.removeEventListener('abort', onAbort);
    return abortedAt;
  };
}

interface FailureFacts {
  readonly at: HrTime;
  readonly isError: boolean;
}

/** A cancelled call is no error: its request has ended, or another attempt was faster. */
function describeFailure(scope: Scope, error: unknown, { at, isError }: FailureFacts): void {
  const { span } = scope;
  const reason = reasonOf(error);
  if (isCancelled(reason)) {
    span.setAttribute('plait.cancelled', true);
    span.addEvent('cancelled', undefined, at);
  } else if (isError) markError(scope, errorType(reason) ?? 'unknown', messageOf(reason));
}
