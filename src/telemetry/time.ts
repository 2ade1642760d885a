/** The time of spans. */
import type { HrTime } from '@opentelemetry/api';

/** Read once, since reading it costs as much as the time does. */
const { timeOrigin } = performance;

/** The wall clock at the resolution of the monotonic one. */
export function now(): HrTime {
  const ms = timeOrigin + performance.now();
  const seconds = Math.trunc(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}

let failedAt: HrTime | undefined;

/**
 * The time of a failure: one for all that ends because of it, synchronously. Spans that were
 * cancelled by a failure end with each other, and within each other, and before the one that
 * failed.
 */
export function failureTime(): HrTime {
  if (failedAt === undefined) {
    failedAt = now();
    queueMicrotask(() => (failedAt = undefined));
  }
  return failedAt;
}

/** The time of an end that is later than the failure that it comes from. */
export function afterFailure(): HrTime {
  return latest(now(), shifted(failureTime(), marginNs));
}

let callEndedAt: HrTime | undefined;

/** Takes note that a call has ended, which may cancel others. */
export function noteCallEnd(at: HrTime): void {
  if (callEndedAt !== undefined) return;
  callEndedAt = at;
  // After the microtasks in which everything is done that follows from it.
  queueMicrotask(() => process.nextTick(() => (callEndedAt = undefined)));
}

/** The time at which calls are cancelled: before the end of the one that caused it, if one did. */
export function cancellationTime(): HrTime {
  return callEndedAt === undefined ? failureTime() : shifted(callEndedAt, -marginNs);
}

export function latest(...times: readonly [HrTime, ...HrTime[]]): HrTime {
  return times.reduce((one, other) => (isLater(other, one) ? other : one));
}

/** Jaeger compares sums of a start and a duration, each of which it cuts to whole microseconds. */
const marginNs = 2_000;

function shifted([seconds, nanoseconds]: HrTime, byNs: number): HrTime {
  const sum = nanoseconds + byNs;
  const carry = Math.floor(sum / 1e9);
  return [seconds + carry, sum - carry * 1e9];
}

function isLater(one: HrTime, other: HrTime): boolean {
  return one[0] > other[0] || (one[0] === other[0] && one[1] > other[1]);
}
