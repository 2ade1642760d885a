/** Counts of things under way, by key. */

export interface Tally {
  count(key: string): number;
  add(key: string): void;
  /** Takes one off that was added. */
  remove(key: string): void;
}

/** Keys without anything under way take no memory. */
export function createTally(): Tally {
  const counts = new Map<string, number>();
  const count = (key: string): number => counts.get(key) ?? 0;
  return {
    count,
    add: (key) => void counts.set(key, count(key) + 1),
    remove(key) {
      const left = count(key) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    },
  };
}
