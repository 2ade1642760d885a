/** What counts as failure: the one judgement that breaker, balancer and retries go by. */
import { UpstreamError } from '../../errors.ts';
import type { UpstreamErrorKind } from '../../errors.ts';
import type { Call } from '../call.ts';

/** What the end of an attempt says of the service. `unknown`: nothing, since it was not let to answer. */
export type Verdict = 'ok' | 'failed' | 'unknown';

/** Statuses by which a service says that it is broken; other 5xx are answers about the request. */
const broken = new Set([500, 502, 503, 504]);

/** Statuses that may be gone a moment later. A 500 would most likely come again. */
const passing = new Set([502, 503, 504]);

/** What most kinds of failure say. What can be read but does not fit is one operation's mistake, no outage. */
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
export function verdictOf(call: Call, error: unknown, tookMs: number): Verdict {
  if (error === undefined) return 'ok';
  // Requests are over for reasons of their own, as a deadline or a client that left.
  if (!(error instanceof UpstreamError) || error.kind === 'aborted') return givenUp(call, tookMs);
  const { kind, status = 0, reached } = error;
  if (kind === 'status') return broken.has(status) ? 'failed' : 'ok';
  if (kind === 'invalid-body') return reached === 'body' ? 'ok' : 'failed';
  return verdicts[kind];
}

/**
 * Nobody waited for the answer to the end. That says nothing, unless they waited long: a service that
 * hangs would otherwise never be found out where requests end before attempts do. A client that is in a
 * hurry cannot make a service look broken.
 */
function givenUp({ operation }: Call, tookMs: number): Verdict {
  return tookMs >= operation.policies.timeoutMs / 2 ? 'failed' : 'unknown';
}

/** Whether another attempt may succeed: what broke off in the middle of its answer is not asked again. */
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
      return passing.has(status) || (status === 429 && retryAfterSeconds !== undefined);
    default:
      return false;
  }
}

/** The call was not sent, by a decision of ours. */
export function isHeldBack(error: unknown): boolean {
  return (
    error instanceof UpstreamError && (error.kind === 'overloaded' || error.kind === 'breaker-open')
  );
}

/** Whether an endpoint that answers so quickly is to count as slow: it would attract all calls. */
export function isRefusal(error: unknown): boolean {
  const status = error instanceof UpstreamError ? (error.status ?? 0) : 0;
  return status === 429 || status >= 500;
}
