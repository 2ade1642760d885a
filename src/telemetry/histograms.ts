/**
 * Histograms that find a series by a few Map lookups, where the SDK makes JSON of sorted labels.
 */
import type { Attributes, HrTime } from '@opentelemetry/api';
import { hrTime } from '@opentelemetry/core';

export interface HistogramOptions {
  readonly name: string;
  /** Default: none. */
  readonly unit?: string;
  readonly description: string;
  /**
   * Upper bounds of the buckets, each inclusive, in rising order; above the last there is one more.
   */
  readonly boundaries: readonly number[];
}

/** `Key` says which series a value belongs to. */
export interface Histogram<Key extends readonly unknown[]> {
  /** Records a value from 0 on, without making an object for a series that is known. */
  record(value: number, ...key: Key): void;
}

export interface HistogramPoint {
  readonly attributes: Attributes;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  /** One for each bucket. */
  readonly counts: number[];
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

export interface HistogramData {
  readonly options: HistogramOptions;
  readonly points: readonly HistogramPoint[];
}

/** Gives all histograms that have been recorded to. */
export type HistogramReader = () => readonly HistogramData[];

export interface Histograms {
  /**
   * Makes a histogram with one series for each key. `labelsOf` is called once for each new key; the
   * parts of keys are compared by identity. Keys with equal labels share a series.
   */
  create<Key extends readonly unknown[]>(
    options: HistogramOptions,
    labelsOf: (...key: Key) => Attributes,
  ): Histogram<Key>;
  /**
   * Makes a reader of everything that is recorded from now on. A `delta` reader returns only the
   * values since it was last called.
   */
  createReader(temporality: 'cumulative' | 'delta'): HistogramReader;
}

/** The values recorded to one series in some time. */
interface Tally {
  readonly startTime: HrTime;
  readonly counts: number[];
  count: number;
  sum: number;
  min: number;
  max: number;
}

interface Series {
  readonly attributes: Attributes;
  /** The values that have not been passed on to the readers yet. */
  unread: Tally | undefined;
}

/** A histogram as its readers see it. */
interface Source {
  readonly options: HistogramOptions;
  readonly series: ReadonlyMap<string, Series>;
}

/**
 * As many as the SDK has by default: beyond them, values go to one series, marked as the SDK does.
 */
const mostSeries = 2_000;
const overflow = { 'otel.metric.overflow': true };

export function createHistograms(limit = mostSeries): Histograms {
  const sources: Source[] = [];
  const seen: Map<Series, Tally>[] = [];

  /** Hands what is unread to all readers, so that none takes it from another. */
  function handOut(): void {
    for (const series of sources.flatMap((source) => [...source.series.values()])) {
      const { unread } = series;
      if (unread === undefined) continue;
      for (const tallies of seen) tallies.set(series, merge(tallies.get(series), unread));
      series.unread = undefined;
    }
  }

  return {
    create(options, labelsOf) {
      const { find, series } = createSeries(labelsOf, limit);
      sources.push({ options, series });
      return {
        record(value, ...key) {
          if (value >= 0) add(find(key), value, options.boundaries);
        },
      };
    },
    createReader(temporality) {
      const tallies = new Map<Series, Tally>();
      seen.push(tallies);
      let readAt: HrTime | undefined;
      return () => {
        handOut();
        // As the SDK's own metrics have it: it never goes back, so that no end is before a start.
        const endTime = hrTime();
        const data = sources.map(({ options, series }) => ({
          options,
          points: pointsOf(series, tallies, { startTime: readAt, endTime }),
        }));
        if (temporality === 'delta') {
          tallies.clear();
          readAt = endTime;
        }
        return data.filter(({ points }) => points.length > 0);
      };
    },
  };
}

/** Keys as a tree: the series of a key is found by a lookup for each part of it. */
interface Branch {
  readonly branches: Map<unknown, Branch>;
  series: Series | undefined;
}

function createSeries<Key extends readonly unknown[]>(
  labelsOf: (...key: Key) => Attributes,
  limit: number,
) {
  const series = new Map<string, Series>();
  const root = createBranch();
  let leaves = 0;

  function find(key: Key): Series {
    let branch = root;
    for (const part of key) {
      let next = branch.branches.get(part);
      if (next === undefined) branch.branches.set(part, (next = createBranch()));
      branch = next;
    }
    return (branch.series ??= leafFor(key));
  }

  /** The tree only remembers: it is begun anew before keys that are not used any more fill it. */
  function leafFor(key: Key): Series {
    leaves += 1;
    if (leaves > limit) {
      root.branches.clear();
      leaves = 0;
    }
    const attributes = labelsOf(...key);
    return seriesOf(attributes) ?? seriesOf(overflow) ?? addSeries(overflow);

    function seriesOf(labels: Attributes): Series | undefined {
      const known = series.get(textOf(labels));
      return known ?? (series.size < limit - 1 ? addSeries(labels) : undefined);
    }
  }

  function addSeries(attributes: Attributes): Series {
    const added = { attributes, unread: undefined };
    series.set(textOf(attributes), added);
    return added;
  }

  return { find, series };
}

function createBranch(): Branch {
  return { branches: new Map(), series: undefined };
}

function textOf(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted());
}

function add(series: Series, value: number, boundaries: readonly number[]): void {
  const tally = (series.unread ??= emptyTally(boundaries.length + 1));
  tally.count += 1;
  tally.sum += value;
  if (value < tally.min) tally.min = value;
  if (value > tally.max) tally.max = value;
  let bucket = 0;
  while (bucket < boundaries.length && value > (boundaries[bucket] ?? Infinity)) bucket += 1;
  tally.counts[bucket] = (tally.counts[bucket] ?? 0) + 1;
}

function emptyTally(buckets: number): Tally {
  const counts = Array.from({ length: buckets }, () => 0);
  return { startTime: hrTime(), counts, count: 0, sum: 0, min: Infinity, max: -Infinity };
}

function merge(earlier: Tally | undefined, later: Tally): Tally {
  if (earlier === undefined) return later;
  return {
    startTime: earlier.startTime,
    counts: earlier.counts.map((count, bucket) => count + (later.counts[bucket] ?? 0)),
    count: earlier.count + later.count,
    sum: earlier.sum + later.sum,
    min: Math.min(earlier.min, later.min),
    max: Math.max(earlier.max, later.max),
  };
}

/** In the order in which the series began. A delta begins where the one before has ended. */
function pointsOf(
  series: ReadonlyMap<string, Series>,
  tallies: ReadonlyMap<Series, Tally>,
  { startTime, endTime }: { readonly startTime: HrTime | undefined; readonly endTime: HrTime },
): HistogramPoint[] {
  return [...series.values()].flatMap((one) => {
    const tally = tallies.get(one);
    if (tally === undefined) return [];
    const { attributes } = one;
    return [{ ...tally, attributes, startTime: startTime ?? tally.startTime, endTime }];
  });
}
