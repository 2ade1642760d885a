/** Measures how late and how busy the event loop is. */
import { performance } from 'node:perf_hooks';

/** The state of the event loop over some time. */
export interface LoopLag {
  /** The largest event-loop delay, in milliseconds. */
  readonly delayMs: number;
  /** The share of time the loop was busy, from 0 to 1. */
  readonly utilisation: number;
}

export interface LagMeter {
  /** The lag since the last call of `read`. */
  read(): LoopLag;
  close(): void;
}

const samplingIntervalMs = 20;

/**
 * Samples by a timer of its own. The histogram of `monitorEventLoopDelay` loses the first interval
 * after each `reset()`, which may be the only one while the loop is late all the time.
 */
export function createLagMeter(): LagMeter {
  let sampledAt = performance.now();
  let worstMs = 0;
  let before = performance.eventLoopUtilization();

  function sample(): void {
    const now = performance.now();
    worstMs = Math.max(worstMs, now - sampledAt - samplingIntervalMs);
    sampledAt = now;
  }

  const timer = setInterval(sample, samplingIntervalMs).unref();
  return {
    read() {
      sample();
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
