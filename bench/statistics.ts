/** Figures about figures. */

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const { length } = sorted;
  if (length === 0) throw new Error('There is no median of nothing.');
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return {
    median: (at(Math.floor((length - 1) / 2)) + at(Math.ceil((length - 1) / 2))) / 2,
    least: at(0),
    most: at(length - 1),
  };
}

/** The value that `share` of all are not above; by rank, without interpolation. */
export function percentile(values: Float64Array, share: number): number {
  const sorted = values.toSorted();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
