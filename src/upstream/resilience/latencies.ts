/** Quantiles of the latest latencies, by which a call is recognised as late. */

export interface Latencies {
  add(ms: number): void;
  /** The latency that a share `p` of calls did not exceed; `undefined` after too few calls. */
  quantile(p: number): number | undefined;
}

/** How many calls are kept, are needed for an answer, and are added before it is computed anew. */
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
