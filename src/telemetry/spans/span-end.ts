/** The end of a span: with the failure that caused it, and at the time of a cancellation. */
import type { HrTime } from '@opentelemetry/api';
import type { Call } from '../../upstream/call.ts';
import { errorType, isCancelled, messageOf, reasonOf } from '../error-type.ts';
import { markError } from '../scope.ts';
import type { Scope } from '../scope.ts';
import { afterFailure, failureTime, now } from '../time.ts';

type Ended = Pick<Call, 'signal'>;

/**
 * Ends a span at the right time. Of a failure that is no error, only the span of the attempt says
 * so.
 */
export class SpanEnd {
  readonly #scope: Scope;
  readonly #signal: Ended['signal'];
  #abortedAt: HrTime | undefined;

  constructor(scope: Scope, { signal }: Ended) {
    this.#scope = scope;
    this.#signal = signal;
    signal.addEventListener('abort', this, { once: true });
  }

  /** Takes note of the time of an abort: this object is a listener. */
  handleEvent(): void {
    this.#abortedAt = failureTime();
  }

  /** Ends an attempt or a batch, as of the time at which that was aborted if it was. */
  end(failure?: unknown, isError = true): void {
    this.#endAt(this.#stop() ?? now(), failure, isError);
  }

  /**
   * Ends a step: if it was cancelled, together with its calls, and before the step that has failed
   * ends. Otherwise Jaeger, whose critical path follows what ends last, would blame it.
   */
  endStep(failure?: unknown, isError = true): void {
    const abortedAt = this.#stop();
    if (failure === undefined) return this.#endAt(now());
    const at = isCancelled(failure) ? (abortedAt ?? now()) : afterFailure();
    return this.#endAt(at, failure, isError);
  }

  /** Stops listening, and gives the time of the abort if there was one. */
  #stop(): HrTime | undefined {
    this.#signal.removeEventListener('abort', this);
    return this.#abortedAt;
  }

  #endAt(at: HrTime, failure?: unknown, isError = true): void {
    if (failure !== undefined) describeFailure(this.#scope, failure, { at, isError });
    this.#scope.span.end(at);
  }
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
