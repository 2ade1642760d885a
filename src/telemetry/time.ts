/** The time of spans, and times compared. */
import type { HrTime } from '@opentelemetry/api';

/** The clocks of a process, in milliseconds. */
export interface Clocks {
  /** The time since 1970, which may jump. */
  wall(): number;
  /** The time since `originMs`, which never does, and stands still while the machine sleeps. */
  monotonic(): number;
  readonly originMs: number;
}

/** How often the clocks are compared. */
const comparedMs = 1_000;

/** A smaller difference is the resolution of the wall clock, and the time it takes to read both. */
const toleranceMs = 20;

/** To read both clocks takes no longer, unless the process is interrupted meanwhile. */
const longestReadingMs = 1;

/**
 * The wall clock at the resolution of the monotonic one. It follows a wall clock that was set, or
 * has gone on while the machine slept: spans would be in the past of those of other services.
 */
export function createWallClock({ wall, monotonic, originMs }: Clocks): () => HrTime {
  let beganMs = originMs;
  let comparedAt = -Infinity;

  function follow(elapsedMs: number): void {
    const aheadMs = wall() - elapsedMs - beganMs;
    // The process was interrupted between the two: the next reading compares them.
    if (monotonic() - elapsedMs > longestReadingMs) return;
    comparedAt = elapsedMs;
    if (Math.abs(aheadMs) >= toleranceMs) beganMs += aheadMs;
  }

  return function now() {
    const elapsedMs = monotonic();
    if (elapsedMs - comparedAt >= comparedMs) follow(elapsedMs);
    const ms = beganMs + elapsedMs;
    const seconds = Math.trunc(ms / 1_000);
    return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
  };
}

/** That of this process. */
export const now = createWallClock({
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  originMs: performance.timeOrigin,
});

export function latest(...times: readonly [HrTime, ...HrTime[]]): HrTime {
  return times.reduce((one, other) => (isLater(other, one) ? other : one));
}

export function shifted([seconds, nanoseconds]: HrTime, byNs: number): HrTime {
  const sum = nanoseconds + byNs;
  const carry = Math.floor(sum / 1e9);
  return [seconds + carry, sum - carry * 1e9];
}

function isLater(one: HrTime, other: HrTime): boolean {
  return one[0] > other[0] || (one[0] === other[0] && one[1] > other[1]);
}
