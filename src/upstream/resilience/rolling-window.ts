/** Rolling window: counts events of the last so many milliseconds. */
import type { Clock } from '../../clock.ts';

export interface RollingWindow<Name extends string> {
  /** Counts an event `times` times. Default 1. */
  add(name: Name, times?: number): void;
  count(name: Name): number;
  /** Forgets everything. */
  clear(): void;
}

/** The window moves in steps of a tenth of its length, so it may be shorter by one step. */
const slices = 10;

export function createWindow<const Name extends string>(
  names: readonly Name[],
  lengthMs: number,
  { now }: Pick<Clock, 'now'>,
): RollingWindow<Name> {
  const zeros = (): Record<Name, number> =>
    Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>; // has all names
  let ring: Record<Name, number>[];
  let totals: Record<Name, number>;
  let current: number;

  function clear(): void {
    ring = Array.from({ length: slices }, zeros);
    totals = zeros();
    current = sliceAt();
  }

  function sliceAt(): number {
    return Math.floor((now() * slices) / lengthMs);
  }

  /** Drops the slices that have left the window. */
  function moveOn(): void {
    const slice = sliceAt();
    if (slice - current >= slices) return clear();
    for (; current < slice; current += 1) {
      const oldest = (current + 1) % slices;
      const dropped = ring[oldest] ?? zeros();
      for (const name of names) totals[name] -= dropped[name];
      ring[oldest] = zeros();
    }
  }

  clear();
  return {
    add(name, times = 1) {
      moveOn();
      const slice = ring.at(current % slices);
      if (slice !== undefined) slice[name] += times;
      totals[name] += times;
    },
    count(name) {
      moveOn();
      return totals[name];
    },
    clear,
  };
}
