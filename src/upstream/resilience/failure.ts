/** Judges failures: breaker, balancer and retries all go by the same verdict. */
import { UpstreamError } from '../../errors.ts';
import type { UpstreamErrorKind } from '../../errors.ts';
import type { Ending } from '../call.ts';

/**
 * The judgement of an attempt. `unknown`: it was abandoned or not sent, so it says nothing about
 * the service.
 */
export type Verdict = 'ok' | 'failed' | 'unknown';

/** Statuses that mean the service is broken; any other 5xx is an answer about the request. */
const broken = new Set([500, 502, 503, 504]);

/** Statuses after which another attempt may succeed. A 500 would most likely be a 500 again. */
const transient = new Set([502, 503, 504]);

/**
 * Verdicts by kind. A service that answers is alive: an unusable body is a problem of one
 * operation, which must not open the breaker for the others.
 */
const verdicts = {
  connect: 'failed',
  reset: 'failed',
  timeout: 'failed',
  'invalid-body': 'ok',
  'too-large': 'ok',
  missing: 'ok',
  overloaded: 'unknown',
  'breaker-open': 'unknown',
  credentials: 'unknown',
  'invalid-argument': 'unknown',
  // The caller has left for a reason of its own. The hang watch detects services that hang.
  aborted: 'unknown',
} satisfies Record<Exclude<UpstreamErrorKind, 'status'>, Verdict>;

/** The verdict on an attempt. */
export function verdictOf(ending: Pick<Ending, 'failure' | 'tookMs' | 'announcedMs'>): Verdict {
  const { failure } = ending;
  if (failure === undefined) return 'ok';
  if (!(failure instanceof UpstreamError)) return 'unknown';
  // A service may close idle connections, so this says nothing about it.
  if (failure.isStale) return 'unknown';
  if (failure.isNotHttp) return 'failed';
  if (failure.kind !== 'status') return verdicts[failure.kind];
  if (failure.isEnveloped || !broken.has(failure.status ?? 0)) return 'ok';
  return isHurried(failure, ending) ? 'unknown' : 'failed';
}

/** After this share of the announced time, a 503 or 504 means that the time was too short. */
const hurriedShare = 0.8;

/** Whether the service ran out of the time that was announced to it. */
function isHurried(
  { status }: UpstreamError,
  { tookMs, announcedMs }: Pick<Ending, 'tookMs' | 'announcedMs'>,
): boolean {
  const isLate =
    announcedMs !== undefined && announcedMs > 0 && tookMs >= announcedMs * hurriedShare;
  return isLate && (status === 503 || status === 504);
}

/** Whether an attempt was abandoned before its answer, for a reason other than the service. */
export function isGivenUp(failure: unknown): boolean {
  return (
    failure !== undefined && (!(failure instanceof UpstreamError) || failure.kind === 'aborted')
  );
}

/** Whether an attempt was abandoned because another one of the same call was faster (hedge). */
export function isOutrun(failure: unknown): boolean {
  return failure instanceof UpstreamError && failure.isOutrun;
}

/** Whether the service has answered, with whatever content. */
export function isAnswer(failure: unknown): boolean {
  return failure instanceof UpstreamError && answers.has(failure.kind);
}

const answers: ReadonlySet<UpstreamErrorKind> = new Set([
  'status',
  'invalid-body',
  'too-large',
  'missing',
]);

/** Whether another attempt may succeed. A response that broke off in the middle is not retried. */
export function isTransient(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status = 0, reached, retryAfterSeconds, isEnveloped } = error;
  switch (kind) {
    case 'connect':
    case 'timeout':
      return true;
    case 'reset':
      return reached === undefined;
    case 'status':
      if (isEnveloped) return false;
      return transient.has(status) || (status === 429 && retryAfterSeconds !== undefined);
    default:
      return false;
  }
}

/** 4xx that are about credentials, connection, time or load, and not about the arguments. */
const notOfArguments = new Set([401, 407, 408, 421, 425, 429]);

/** Whether the service has rejected a request because of its arguments. */
export function isRejection(error: unknown): boolean {
  if (!(error instanceof UpstreamError) || error.kind !== 'status') return false;
  const { status = 0 } = error;
  return status >= 400 && status < 500 && !notOfArguments.has(status);
}

/**
 * Whether a batch may have failed because of some of its keys: the service has rejected it, or its
 * answer is of no use, to which a single item is enough, or too many items.
 */
export function isOfKeys(error: unknown): boolean {
  return isRejection(error) || (isUnreadable(error) && !error.isNotHttp);
}

/** Whether breaker, bulkhead or the want of a token kept the call from being sent. */
export function isHeldBack(error: unknown): boolean {
  return error instanceof UpstreamError && heldBack.has(error.kind);
}

const heldBack: ReadonlySet<UpstreamErrorKind> = new Set([
  'overloaded',
  'breaker-open',
  'credentials',
]);

/** Whether the service has answered with a body that cannot be used. */
export function isUnreadable(error: unknown): error is UpstreamError {
  return (
    error instanceof UpstreamError && (error.kind === 'invalid-body' || error.kind === 'too-large')
  );
}

/** Answers that count as slow: the balancer would otherwise prefer an address that fails fast. */
export function isErrorAnswer(error: unknown): boolean {
  const status = error instanceof UpstreamError ? (error.status ?? 0) : 0;
  return status === 429 || status >= 500;
}

/** Whether the service had closed the idle connection on which the request was sent. */
export function isStale(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.isStale;
}
