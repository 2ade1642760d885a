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

export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: Date.now,
  random: Math.random,
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
