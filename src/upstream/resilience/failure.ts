/** Judges failures: breaker, balancer and retries all go by the same verdict. */
import { UpstreamError } from '../../errors.ts';
import type { UpstreamErrorKind } from '../../errors.ts';
import type { Call } from '../call.ts';

type Called = Pick<Call, 'operation'>;

/**
 * The judgement of an attempt. `unknown`: it was cut short, so it says nothing about the service.
 */
export type Verdict = 'ok' | 'failed' | 'unknown';

/** Statuses that mean the service is broken; any other 5xx is an answer about the request. */
const broken = new Set([500, 502, 503, 504]);

/** Statuses after which another attempt may succeed. A 500 would most likely be a 500 again. */
const transient = new Set([502, 503, 504]);

/** Verdicts by kind, except for `status`, `invalid-body` and `aborted`, which depend on more. */
const verdicts = {
  connect: 'failed',
  reset: 'failed',
  timeout: 'failed',
  'too-large': 'ok',
  missing: 'ok',
  overloaded: 'unknown',
  'breaker-open': 'unknown',
  'invalid-argument': 'unknown',
} satisfies Partial<Record<UpstreamErrorKind, Verdict>>;

/** The verdict on an attempt that ended with `error`, or without one, after `tookMs`. */
export function verdictOf(call: Called, error: unknown, tookMs: number): Verdict {
  if (error === undefined) return 'ok';
  // The request ended for a reason of its own: its deadline, or a client that disconnected.
  if (!(error instanceof UpstreamError) || error.kind === 'aborted') return givenUp(call, tookMs);
  const { kind, status = 0, reached } = error;
  if (kind === 'status') return broken.has(status) ? 'failed' : 'ok';
  // A readable body that does not fit the schema is a bug of one operation, not an outage.
  if (kind === 'invalid-body') return reached === 'body' ? 'ok' : 'failed';
  return verdicts[kind];
}

/**
 * The verdict on an attempt that was cancelled before its answer. It counts as failed after half of
 * its timeout, or a service that hangs would go unnoticed if requests always end before attempts
 * do; before that it says nothing, so an impatient client cannot make a service look broken.
 */
function givenUp({ operation }: Called, tookMs: number): Verdict {
  return tookMs >= operation.policies.timeoutMs / 2 ? 'failed' : 'unknown';
}

/** Whether another attempt may succeed. A response that broke off in the middle is not retried. */
export function isTransient(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status = 0, reached, retryAfterSeconds } = error;
  switch (kind) {
    case 'connect':
    case 'timeout':
      return true;
    case 'reset':
      return reached === undefined;
    case 'status':
      return transient.has(status) || (status === 429 && retryAfterSeconds !== undefined);
    default:
      return false;
  }
}

/** Whether breaker or bulkhead kept the call from being sent. */
export function isHeldBack(error: unknown): boolean {
  return (
    error instanceof UpstreamError && (error.kind === 'overloaded' || error.kind === 'breaker-open')
  );
}

/** Whether an answer counts as slow, or the balancer would prefer addresses that fail fast. */
export function isErrorAnswer(error: unknown): boolean {
  const status = error instanceof UpstreamError ? (error.status ?? 0) : 0;
  return status === 429 || status >= 500;
}
