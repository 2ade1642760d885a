/**
 * Latency buckets: count latencies in bounded memory, so that quantiles can be read from them. Each
 * bucket is at most an eighth wider than its lower bound.
 */

/** The unit in which latencies are counted, in milliseconds. */
const unitMs = 0.1;

/** Buckets between a latency and its double. */
const perOctave = 8;

const mostOctaves = 24;

export const bucketCount = perOctave * mostOctaves;

/** The bucket of a latency; those above about half an hour share the last one. */
export function bucketOf(ms: number): number {
  const units = Math.min(2 ** 30, ms / unitMs) | 0;
  if (units < perOctave) return units < 0 ? 0 : units;
  const shift = 28 - Math.clz32(units); // leaves four bits: 8 to 15
  const bucket = shift * perOctave + (units >> shift);
  return bucket < bucketCount ? bucket : bucketCount - 1;
}

/** The latency in the middle of a bucket, in milliseconds. */
export function latencyOf(bucket: number): number {
  if (bucket < perOctave) return (bucket + 0.5) * unitMs;
  const shift = Math.floor(bucket / perOctave) - 1;
  return ((bucket % perOctave) + perOctave + 0.5) * 2 ** shift * unitMs;
}

/** The latency that a share `p` of those counted did not exceed; `undefined` without any. */
export function quantileOf(counts: ArrayLike<number>, p: number): number | undefined {
  let total = 0;
  for (let bucket = 0; bucket < counts.length; bucket += 1) total += counts[bucket] ?? 0;
  let left = Math.max(1, Math.ceil(total * p));
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    left -= counts[bucket] ?? 0;
    if (left <= 0) return latencyOf(bucket);
  }
  return undefined;
}
