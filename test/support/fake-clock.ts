/** A clock that stands still until it is told to go on. */
import type { Clock } from '../../src/clock.ts';

export interface FakeClock extends Clock {
  /** Moves time on; tasks that fall due run in order, each at its own moment. */
  advance(ms: number): void;
  /** Moves time on until a task falls due; nothing happens if none waits. */
  advanceToNext(): void;
  /** How many tasks wait for their time. */
  readonly pending: number;
}

/** Starts at `startAt` milliseconds; `random()` repeats the numbers of `chances` in turn. */
export function createFakeClock(
  options: { startAt?: number; chances?: readonly number[] } = {},
): FakeClock {
  const { startAt = 0, chances = [0.5] } = options;
  const tasks = new Set<{ readonly at: number; readonly run: () => void }>();
  let now = startAt;
  let drawn = 0;

  const nextUntil = (end: number) =>
    [...tasks].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];

  function advance(ms: number): void {
    const end = now + ms;
    for (let task = nextUntil(end); task !== undefined; task = nextUntil(end)) {
      tasks.delete(task);
      now = task.at;
      task.run();
    }
    now = end;
  }

  return {
    now: () => now,
    epoch: () => 1_700_000_000_000 + now,
    random: () => chances[drawn++ % chances.length] ?? 0,
    after(delayMs, run) {
      const task = { at: now + Math.max(0, delayMs), run };
      tasks.add(task);
      return () => void tasks.delete(task);
    },
    advance,
    advanceToNext() {
      const next = nextUntil(Infinity);
      if (next !== undefined) advance(next.at - now);
    },
    get pending() {
      return tasks.size;
    },
  };
}
