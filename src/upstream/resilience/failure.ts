/** When a service has failed: the one judgement that breaker, balancer and retries go by. */
import { UpstreamError } from '../../errors.ts';
import type { UpstreamErrorKind } from '../../errors.ts';
import type { Call } from '../call.ts';

type Called = Pick<Call, 'operation'>;

/** What the end of an attempt says of the service. `unknown`: the attempt was cut short, so it says nothing. */
export type Verdict = 'ok' | 'failed' | 'unknown';

/** Statuses by which a service says that it is broken; other 5xx are answers about the request. */
const broken = new Set([500, 502, 503, 504]);

/** Statuses that may be gone a moment later. A 500 would most likely come again. */
const passing = new Set([502, 503, 504]);

/** Verdict by kind. A readable body that does not fit its schema is that operation's bug, no outage. */
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
  // The request ended for reasons of its own, as its deadline or a client that left.
  if (!(error instanceof UpstreamError) || error.kind === 'aborted') return givenUp(call, tookMs);
  const { kind, status = 0, reached } = error;
  if (kind === 'status') return broken.has(status) ? 'failed' : 'ok';
  if (kind === 'invalid-body') return reached === 'body' ? 'ok' : 'failed';
  return verdicts[kind];
}

/**
 * The attempt was cancelled before its answer. That says nothing, unless it had run long: a service
 * that hangs would otherwise never be found out where requests end before attempts do. A client in a
 * hurry cannot make a service look broken.
 */
function givenUp({ operation }: Called, tookMs: number): Verdict {
  return tookMs >= operation.policies.timeoutMs / 2 ? 'failed' : 'unknown';
}

/** Whether another attempt may succeed. An answer that broke off in the middle is not asked for again. */
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

/** Fast errors count as slow, or the balancer would prefer a failing address. */
export function isErrorAnswer(error: unknown): boolean {
  const status = error instanceof UpstreamError ? (error.status ?? 0) : 0;
  return status === 429 || status >= 500;
}
