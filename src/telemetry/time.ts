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
  const [seconds, nanoseconds] = failureTime();
  const at = now();
  const isLater = at[0] > seconds || (at[0] === seconds && at[1] > nanoseconds);
  return isLater ? at : [seconds, nanoseconds + 1_000];
}
