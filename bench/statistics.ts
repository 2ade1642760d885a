/** Statistics of measurements. */

export interface Spread {
  readonly median: number;
  /** The quartiles: half of the values lie between them. */
  readonly lower: number;
  readonly upper: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  if (sorted.length === 0) throw new Error('There is no median of nothing.');
  const [least, lower, median, upper, most] = [0, 0.25, 0.5, 0.75, 1].map((share) =>
    quantile(sorted, share),
  ) as [number, number, number, number, number]; // one of each share
  return { median, lower, upper, least, most };
}

/** Interpolated between the two values that are nearest. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const [below = Number.NaN, above = below] = sorted.slice(Math.floor(place));
  return below + (above - below) * (place % 1);
}

/** The value that `share` of all are not above; by rank, without interpolation. */
export function percentile(values: Float64Array, share: number): number {
  const sorted = values.toSorted();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
