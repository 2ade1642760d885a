/** Finds the callers that have lost time by joining a dispatch with a shorter deadline. */
import { UpstreamError } from '../../errors.ts';
import type { Call } from '../call.ts';
import { isTransient } from '../resilience/failure.ts';

/** The facts that determine how much time a service is given for a call. */
export type Timed = Pick<Call, 'operation' | 'createdAt' | 'deadlineAt'>;

/** The latest end of an attempt that is made as soon as its call. */
function endOf({ operation, createdAt, deadlineAt }: Timed): number {
  return Math.min(deadlineAt, createdAt + operation.policies.timeoutMs);
}

/** A service that fails in this last part of its time may have run out of it. */
const lastPart = 0.2;

/** The least gain, as a part of a call's time, for which it is dispatched again. */
const leastGain = 0.1;

/**
 * Whether a failure may be due to the time that the service was given for `first`: the service says
 * so by a 504 or 408, or it failed near the end of that time, or too near to it for a retry.
 */
export function mayBeShortOfTime(error: unknown, first: Timed, now: number): boolean {
  if (!(error instanceof UpstreamError) || error.isEnveloped) return false;
  const { status = 0, retryAfterSeconds = 0 } = error;
  if (status === 504 || status === 408) return true;
  if (!isOutage(error)) return false;
  const { policies, idempotent } = first.operation;
  const { retry } = policies;
  const pauseMs =
    retry !== false && retry.times > 0 && idempotent && isTransient(error)
      ? Math.max(retry.maxDelayMs, retryAfterSeconds * 1_000)
      : 0;
  const lastMs = (endOf(first) - first.createdAt) * lastPart;
  return now + lastMs >= endOf(first) || now + pauseMs >= first.deadlineAt;
}

function isOutage({ kind, status = 0 }: UpstreamError): boolean {
  return kind === 'timeout' || kind === 'reset' || kind === 'connect' || status >= 500;
}

/** Whether `call` on its own would have given the service noticeably longer than `first` did. */
export function hasMoreTime(call: Timed, first: Timed, now: number): boolean {
  const end = endOf(call);
  return end > now && end - endOf(first) >= (end - call.createdAt) * leastGain;
}
