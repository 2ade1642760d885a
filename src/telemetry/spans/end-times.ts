/** The times at which spans end that end because of each other. */
import type { HrTime } from '@opentelemetry/api';
import { latest, now, shifted } from '../time.ts';

export interface EndTimes {
  /**
   * The time of a failure: one for all that ends because of it, synchronously. Spans that were
   * cancelled by a failure end with each other, and within each other, and before the one that
   * failed.
   */
  failure(): HrTime;
  /** The time of an end that is later than the failure that it comes from. */
  afterFailure(): HrTime;
  /** Takes note that a call has ended, which may cancel others. */
  noteCallEnd(at: HrTime): void;
  /** The time at which calls are cancelled: before the end of the one that caused it, if any. */
  cancellation(): HrTime;
}

/** Jaeger compares sums of a start and a duration, each of which it cuts to whole microseconds. */
const marginNs = 2_000;

/** Of all spans of a tracer: what ends synchronously has one cause. */
export function createEndTimes(): EndTimes {
  let failedAt: HrTime | undefined;
  let callEndedAt: HrTime | undefined;

  function failure(): HrTime {
    if (failedAt === undefined) {
      failedAt = now();
      queueMicrotask(() => (failedAt = undefined));
    }
    return failedAt;
  }

  return {
    failure,
    afterFailure: () => latest(now(), shifted(failure(), marginNs)),
    noteCallEnd(at) {
      if (callEndedAt !== undefined) return;
      callEndedAt = at;
      // After the microtasks in which everything is done that follows from it.
      queueMicrotask(() => process.nextTick(() => (callEndedAt = undefined)));
    },
    cancellation: () => (callEndedAt === undefined ? failure() : shifted(callEndedAt, -marginNs)),
  };
}
