/** How long the latest calls took: enough to say what is late. */

export interface Latencies {
  add(ms: number): void;
  /** What the share `p` of the latest calls did not exceed; `undefined` while too few are known. */
  quantile(p: number): number | undefined;
}

/** The latest that count, the fewest that say something, and how many new ones make a new answer. */
const size = 200;
const enough = 20;
const refreshEvery = 20;

export function createLatencies(): Latencies {
  const ring: number[] = [];
  let added = 0;
  let sorted: Float64Array | undefined;
  return {
    add(ms) {
      ring[added % size] = ms;
      added += 1;
      if (added % refreshEvery === 0) sorted = Float64Array.from(ring).toSorted();
    },
    quantile(p) {
      if (sorted === undefined || added < enough) return undefined;
      return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))];
    },
  };
}
