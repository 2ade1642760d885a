/** The attempts of a service in the last minute: how many there were, how many failed, how long. */
import type { Clock } from '../../clock.ts';
import { UpstreamError } from '../../errors.ts';
import type { Dispatch, Ending } from '../call.ts';
import type { Address } from '../exchange/address.ts';
import { isHeldBack, isRejection } from '../resilience/failure.ts';
import { bucketCount, bucketOf, quantileOf } from './latency-buckets.ts';
import { lastErrorOf } from './last-error.ts';
import type { ErrorReading, LastError } from './last-error.ts';

/** The attempts that have ended in the last `windowMs`. */
export interface AttemptsStatus {
  readonly windowMs: number;
  /** Without those that were cancelled. */
  readonly total: number;
  /** An answer to a request that was wrong, such as a 404, is no failure. */
  readonly failed: number;
  /** From 0 to 1; 0 without any attempt. */
  readonly failedShare: number;
  /**
   * The attempts that say nothing about the service, most since nobody waited for them any more.
   * The others met an idle connection that had just ended, or could not be sent.
   */
  readonly cancelled: number;
  /** The calls that were refused: breaker open, bulkhead full, no token. */
  readonly notSent: number;
  /** Quantiles of the durations of `total`, in milliseconds; `null` without any. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface RecentAttempts {
  /** Counts an attempt that has ended. */
  add(address: Address, dispatch: Dispatch, ending: Ending): void;
  /** Counts a call that has got no permit. */
  addRefused(dispatch: Dispatch, failure: unknown): void;
  status(): AttemptsStatus;
  /** The last error of one address, or of any and of calls that were not sent. */
  lastError(address?: Address): LastError | undefined;
}

export interface RecentAttemptsOptions extends ErrorReading {
  readonly clock: Pick<Clock, 'now' | 'epoch'>;
  /** As an operator knows the address. */
  readonly nameOf: (address: Address) => string;
}

const windowMs = 60_000;

/** The window moves in steps of ten seconds, so it may be shorter by one step. */
const sliceMs = 10_000;
const sliceCount = windowMs / sliceMs;

interface Slice {
  /** The number of its ten seconds, on the clock's scale. */
  at: number;
  failed: number;
  cancelled: number;
  notSent: number;
  readonly latencies: Uint32Array;
}

/**
 * Keeps six slices of 200 numbers, whatever happens. To count an attempt costs two additions: it
 * says itself when it has ended.
 */
export function createRecentAttempts(options: RecentAttemptsOptions): RecentAttempts {
  const { clock, nameOf } = options;
  const slices = Array.from({ length: sliceCount }, emptySlice);
  const lastOf = new Map<Address, LastError>();
  let last: LastError | undefined;

  /** The slice of a moment on the clock's scale, which is never before one that was counted. */
  function sliceAt(moment: number): Slice {
    const at = Math.floor(moment / sliceMs);
    const slice = slices.at(at % sliceCount) ?? emptySlice();
    if (slice.at !== at) restart(slice, at);
    return slice;
  }

  return {
    add(address, dispatch, { failure, endedAt, tookMs, standsFor = 0 }) {
      const slice = sliceAt(endedAt);
      const times = 1 + standsFor;
      if (failure !== undefined && !(failure instanceof UpstreamError && isOfService(failure))) {
        slice.cancelled += times;
        return;
      }
      const bucket = bucketOf(tookMs);
      slice.latencies[bucket] = (slice.latencies[bucket] ?? 0) + times;
      if (!(failure instanceof UpstreamError) || isRejection(failure)) return;
      slice.failed += times;
      last = lastErrorOf(dispatch, failure, { ...options, address: nameOf(address) });
      lastOf.set(address, last);
    },
    addRefused(dispatch, failure) {
      if (!(failure instanceof UpstreamError) || !isHeldBack(failure)) return;
      sliceAt(clock.now()).notSent += 1;
      // The reason why the breaker is open says more.
      if (failure.kind !== 'breaker-open') last = lastErrorOf(dispatch, failure, options);
    },
    status() {
      const oldest = Math.floor(clock.now() / sliceMs) - sliceCount;
      return summaryOf(slices.filter(({ at }) => at > oldest));
    },
    lastError: (address) => (address === undefined ? last : lastOf.get(address)),
  };
}

function emptySlice(): Slice {
  const latencies = new Uint32Array(bucketCount);
  return { at: -Infinity, failed: 0, cancelled: 0, notSent: 0, latencies };
}

function restart(slice: Slice, at: number): void {
  slice.latencies.fill(0);
  Object.assign(slice, { at, failed: 0, cancelled: 0, notSent: 0 });
}

/** Whether the failure of an attempt says something about its service. */
function isOfService({ kind, isStale }: UpstreamError): boolean {
  return !isStale && kind !== 'aborted' && kind !== 'invalid-argument';
}

function summaryOf(slices: readonly Slice[]): AttemptsStatus {
  const latencies = new Uint32Array(bucketCount);
  for (const slice of slices) {
    for (let bucket = 0; bucket < bucketCount; bucket += 1) {
      latencies[bucket] = (latencies[bucket] ?? 0) + (slice.latencies[bucket] ?? 0);
    }
  }
  const total = latencies.reduce((sum, count) => sum + count, 0);
  const failed = sumOf(slices, (slice) => slice.failed);
  return {
    windowMs,
    total,
    failed,
    failedShare: total === 0 ? 0 : round(failed / total, 4),
    cancelled: sumOf(slices, (slice) => slice.cancelled),
    notSent: sumOf(slices, (slice) => slice.notSent),
    p50Ms: milliseconds(quantileOf(latencies, 0.5)),
    p95Ms: milliseconds(quantileOf(latencies, 0.95)),
  };
}

function sumOf(slices: readonly Slice[], read: (slice: Slice) => number): number {
  return slices.reduce((sum, slice) => sum + read(slice), 0);
}

function milliseconds(ms: number | undefined): number | null {
  return ms === undefined ? null : round(ms, ms < 10 ? 1 : 0);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
