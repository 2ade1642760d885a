/** How late and how busy the event loop is. */
import { performance } from 'node:perf_hooks';

export interface Load {
  /** How late the event loop was at worst, in milliseconds. */
  readonly delayMs: number;
  /** The share of time it was busy. */
  readonly utilisation: number;
}

export interface LoadMeter {
  /** The load since it was read before. */
  read(): Load;
  close(): void;
}

/** How often it is looked whether the loop is on time. */
const everyMs = 20;

/**
 * A timer of its own. The histogram of `monitorEventLoopDelay` loses the first interval after each
 * `reset()`: when the loop is late all the time that may be the only one.
 */
export function createLoadMeter(): LoadMeter {
  let lookedAt = performance.now();
  let worstMs = 0;
  let before = performance.eventLoopUtilization();

  function look(): void {
    const now = performance.now();
    worstMs = Math.max(worstMs, now - lookedAt - everyMs);
    lookedAt = now;
  }

  const timer = setInterval(look, everyMs).unref();
  return {
    read() {
      look();
      const delayMs = worstMs;
      worstMs = 0;
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return { delayMs, utilisation: utilization };
    },
    close: () => clearInterval(timer),
  };
}
