/** Time and chance, handed in wherever a decision depends on them, so that tests can own both. */

export interface Clock {
  /** Milliseconds on a monotonic scale; only differences mean something. */
  now(): number;
  /** Milliseconds since 1970, for what outlives the process or is shared with others. */
  epoch(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Runs `task` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, task: () => void): () => void;
}

/** The longest delay of a timer, in milliseconds: one that is longer runs at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** A timer this late means that the event loop was blocked. In milliseconds. */
const blockedMs = 20;

export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: Date.now,
  random: Math.random,
  after(delayMs, task) {
    const dueAt = performance.now() + delayMs;
    let immediate: NodeJS.Immediate | undefined;
    const timer = setTimeout(function runInTime() {
      // Timers run before sockets are read. After a blocked loop, answers that arrived in time may
      // be waiting there, and a time limit would blame the service for the delay of this process.
      if (performance.now() - dueAt < blockedMs) task();
      else immediate = setImmediate(task);
    }, delayMs);
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
};

/** A time of the epoch in ISO 8601. */
export function isoOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
