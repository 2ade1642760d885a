/** A clock that stands still until a test moves it: deadlines pass without waiting for them. */
import type { Clock } from '../../src/clock.ts';

export interface ManualClock extends Clock {
  /** Moves the time on and runs what is due, in order. */
  advance(ms: number): void;
  /** Timers that are set. */
  timers(): number;
}

export function manualClock(): ManualClock {
  let time = 1_000;
  const timers = new Set<{ at: number; task: () => void }>();
  return {
    now: () => time,
    random: () => 0.5,
    after(delayMs, task) {
      const timer = { at: time + delayMs, task };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      time += ms;
      const due = [...timers].filter(({ at }) => at <= time).toSorted((a, b) => a.at - b.at);
      for (const timer of due) if (timers.delete(timer)) timer.task();
    },
    timers: () => timers.size,
  };
}
