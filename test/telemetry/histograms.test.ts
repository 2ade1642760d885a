import type { Attributes } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHistograms } from '../../src/telemetry/histograms.ts';
import type { HistogramReader } from '../../src/telemetry/histograms.ts';
import { producerOf } from '../../src/telemetry/metrics-provider.ts';

const options = { name: 'duration', description: 'How long', unit: 's', boundaries: [1, 2, 5] };

function start(limit?: number) {
  const histograms = createHistograms(limit);
  const read = histograms.createReader('cumulative');
  const asked: [word: string, status?: number][] = [];
  const histogram = histograms.create(
    options,
    (...key: [word: string, status?: number]): Attributes => {
      asked.push(key);
      return { word: key[0], status: key[1] };
    },
  );
  return { histograms, histogram, asked, read };
}

function pointsOf(read: HistogramReader) {
  return read().flatMap(({ points }) => points);
}

describe('a histogram', () => {
  it('counts a value in the bucket whose bound it does not exceed', () => {
    const { histogram, read } = start();
    for (const value of [0, 1, 1.5, 2, 5, 5.1, Infinity]) histogram.record(value, 'a');
    expect(pointsOf(read)).toMatchObject([{ counts: [2, 2, 1, 2], count: 7, min: 0 }]);
  });

  it('takes no value that cannot be one', () => {
    const { histogram, read } = start();
    for (const value of [Number.NaN, -1]) histogram.record(value, 'a');
    expect(read()).toEqual([]);
  });

  it('asks for the labels of a key once', () => {
    const { histogram, asked, read } = start();
    for (const value of [1, 2, 3]) histogram.record(value, 'a', 200);
    histogram.record(4, 'a', 404);
    expect(asked).toEqual([
      ['a', 200],
      ['a', 404],
    ]);
    expect(pointsOf(read).map(({ attributes, sum }) => [attributes, sum])).toEqual([
      [{ word: 'a', status: 200 }, 6],
      [{ word: 'a', status: 404 }, 4],
    ]);
  });

  it('has one series for keys whose labels are equal', () => {
    const { histograms, read } = start();
    const histogram = histograms.create(options, ({ name }: { name: string }) => ({ name }));
    histogram.record(1, { name: 'a' });
    histogram.record(2, { name: 'a' });
    expect(pointsOf(read)).toMatchObject([{ attributes: { name: 'a' }, count: 2 }]);
  });

  it('has at most as many series as it may, and counts the rest together', () => {
    const { histogram, read } = start(4);
    for (const word of ['a', 'b', 'c', 'd', 'e', 'a', 'e']) histogram.record(1, word);
    expect(pointsOf(read).map(({ attributes, count }) => [attributes['word'], count])).toEqual([
      ['a', 2],
      ['b', 1],
      ['c', 1],
      [undefined, 3],
    ]);
    expect(pointsOf(read).at(-1)?.attributes).toEqual({ 'otel.metric.overflow': true });
  });

  it('remembers no more keys than it may have series', () => {
    const { histograms, read } = start(10);
    const histogram = histograms.create(options, ({ name }: { name: string }) => ({ name }));
    for (let count = 0; count < 25; count += 1) histogram.record(1, { name: 'a' });
    expect(pointsOf(read)).toMatchObject([{ attributes: { name: 'a' }, count: 25 }]);
  });
});

describe('a reader of histograms', () => {
  it('gives everything since the start, each time', () => {
    const { histogram, read } = start();
    histogram.record(1, 'a');
    const [first] = pointsOf(read);
    histogram.record(3, 'a');
    const [second] = pointsOf(read);
    expect(first).toMatchObject({ counts: [1, 0, 0, 0], count: 1, sum: 1, min: 1, max: 1 });
    expect(second).toMatchObject({ counts: [1, 0, 1, 0], count: 2, sum: 4, min: 1, max: 3 });
    expect(second?.startTime).toEqual(first?.startTime);
  });

  it('gives only what is new, from where it ended before, where it is to give deltas', () => {
    const { histograms, histogram } = start();
    const read = histograms.createReader('delta');
    histogram.record(1, 'a');
    const [first] = pointsOf(read);
    histogram.record(3, 'a');
    const [second] = pointsOf(read);
    expect(second).toMatchObject({ counts: [0, 0, 1, 0], count: 1, sum: 3, min: 3, max: 3 });
    expect(second?.startTime).toEqual(first?.endTime);
    expect(read()).toEqual([]);
  });

  it('takes nothing away from others', () => {
    const { histograms, histogram, read } = start();
    const readDelta = histograms.createReader('delta');
    histogram.record(1, 'a');
    expect(pointsOf(readDelta)).toHaveLength(1);
    histogram.record(1, 'a');
    expect(pointsOf(read)).toMatchObject([{ count: 2 }]);
    expect(pointsOf(readDelta)).toMatchObject([{ count: 1 }]);
  });
});

describe('histograms of our own and those of the SDK', () => {
  const recordings = fc.array(
    fc.record({
      value: fc.oneof(fc.constantFrom(0, 1, 2, 5), fc.double({ min: 0, max: 10, noNaN: true })),
      word: fc.constantFrom('a', 'b', 'c'),
      thenRead: fc.boolean(),
    }),
    { maxLength: 30 },
  );

  it.each([AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA])(
    'export the same, with temporality %s',
    async (temporality) => {
      await fc.assert(
        fc.asyncProperty(recordings, async (recorded) => {
          const exporter = new InMemoryMetricExporter(temporality);
          const histograms = createHistograms();
          const reader = new PeriodicExportingMetricReader({
            exporter,
            metricProducers: [producerOf(histograms, exporter)],
          });
          const provider = new MeterProvider({ readers: [reader] });
          const theirs = provider.getMeter('plait').createHistogram(options.name, {
            description: options.description,
            unit: options.unit,
            advice: { explicitBucketBoundaries: [...options.boundaries] },
          });
          const ours = histograms.create(options, (word: string) => ({ word }));
          for (const { value, word, thenRead } of recorded) {
            theirs.record(value, { word });
            ours.record(value, word);
            if (thenRead) await reader.forceFlush();
          }
          await provider.shutdown();
          for (const { scopeMetrics } of exporter.getMetrics()) {
            const [sdk = [], own = []] = scopeMetrics.map(comparable);
            expect(own).toEqual(sdk);
          }
        }),
        { numRuns: 100 },
      );
    },
  );
});

/** Everything but the times, which differ by microseconds, and the order of series. */
function comparable({
  scope,
  metrics,
}: ReturnType<InMemoryMetricExporter['getMetrics']>[number]['scopeMetrics'][number]) {
  return metrics.map(({ descriptor, dataPoints, ...rest }) => {
    const { name, description, unit, valueType } = descriptor;
    const points = dataPoints
      .map(({ attributes, value }) => ({ word: String(attributes['word']), value }))
      .toSorted((one, other) => one.word.localeCompare(other.word));
    return { scope, ...rest, name, description, unit, valueType, points };
  });
}
