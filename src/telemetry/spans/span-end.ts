/** The end of a span: with the failure that caused it, and at the time of a cancellation. */
import type { HrTime } from '@opentelemetry/api';
import type { Call, Dispatch } from '../../upstream/call.ts';
import { errorType, isCancelled, messageOf, reasonOf } from '../error-type.ts';
import { markError } from '../scope.ts';
import type { Scope } from '../scope.ts';
import { latest, now } from '../time.ts';
import type { EndTimes } from './end-times.ts';

type Ended = Pick<Call, 'signal'> & Partial<Pick<Dispatch, 'tried'>>;

/**
 * Ends a span at the right time. Of a failure that is no error, only the span of the attempt says
 * so.
 */
export class SpanEnd {
  readonly #scope: Scope;
  readonly #ended: Ended;
  readonly #times: EndTimes;
  #abortedAt: HrTime | undefined;
  #cancelledAt: HrTime | undefined;

  constructor(scope: Scope, ended: Ended, times: EndTimes) {
    this.#scope = scope;
    this.#ended = ended;
    this.#times = times;
    ended.signal.addEventListener('abort', this, { once: true });
  }

  /** Takes note of the time of an abort: this object is a listener. */
  handleEvent(): void {
    this.#abortedAt = this.#times.failure();
    this.#cancelledAt = this.#times.cancellation();
  }

  /**
   * Ends an attempt or a batch. One that was aborted ends as of then; one that was cancelled since
   * another call has ended, before that: of an `each` or a hedge, both are parts of one step.
   */
  end(failure?: unknown, isError = true): void {
    const endedAt = this.#stop() ?? now();
    const cancelledAt = isCancelled(failure) ? this.#cancelledAt : undefined;
    if (cancelledAt !== undefined) {
      return this.#endAt(latest(cancelledAt, this.#scope.begunAt), failure, isError);
    }
    if (this.#mayCancel(failure)) this.#times.noteCallEnd(endedAt);
    return this.#endAt(endedAt, failure, isError);
  }

  /** Whether the end of the call may cancel others: of its request, or one beside it (a hedge). */
  #mayCancel(failure: unknown): boolean {
    return failure !== undefined || (this.#ended.tried?.length ?? 0) > 1;
  }

  /**
   * Ends a step: if its request has ended, together with its calls and with the steps around it, so
   * before the step that has failed. Otherwise Jaeger, whose critical path follows what ends last,
   * would blame it. A step that follows the one that has failed ends with the others, too.
   */
  endStep(failure?: unknown, isError = true): void {
    const abortedAt = this.#stop();
    const at = abortedAt ?? (this.#isOwn(failure) ? this.#times.afterFailure() : now());
    return this.#endAt(at, failure, isError);
  }

  /** Whether the step has failed, and not its request. */
  #isOwn(failure: unknown): boolean {
    return failure !== undefined && !isCancelled(failure) && errorType(failure) !== 'deadline';
  }

  /** Stops listening, and gives the time of the abort if there was one. */
  #stop(): HrTime | undefined {
    this.#ended.signal.removeEventListener('abort', this);
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
