import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketCount,
  bucketOf,
  latencyOf,
  quantileOf,
} from '../../../src/upstream/state/latency-buckets.ts';
import { assertProperty } from '../../support/property.ts';

function countsOf(latencies: readonly number[]): number[] {
  const counts = Array.from({ length: bucketCount }, () => 0);
  for (const ms of latencies) counts[bucketOf(ms)] = (counts[bucketOf(ms)] ?? 0) + 1;
  return counts;
}

describe('latency buckets', () => {
  it('tell a latency to within an eighth, or a tenth of a millisecond', async () => {
    await assertProperty(
      fc.property(fc.double({ min: 0, max: 600_000, noNaN: true }), (ms) => {
        expect(Math.abs(latencyOf(bucketOf(ms)) - ms)).toBeLessThanOrEqual(Math.max(0.1, ms / 8));
      }),
    );
  });

  it('keep the order of latencies', async () => {
    const latency = fc.double({ min: 0, max: 1e9, noNaN: true });
    await assertProperty(
      fc.property(latency, latency, (one, other) => {
        expect(bucketOf(Math.min(one, other))).toBeLessThanOrEqual(bucketOf(Math.max(one, other)));
      }),
    );
  });

  it.each([-1, 0, 1e9, 1e300, Infinity])('have a bucket for %s ms', (ms) => {
    expect(bucketOf(ms)).toBeGreaterThanOrEqual(0);
    expect(bucketOf(ms)).toBeLessThan(bucketCount);
  });

  it('give the latency that half, or nearly all, did not exceed', () => {
    const counts = countsOf([
      ...Array.from({ length: 94 }, () => 10),
      500,
      500,
      500,
      500,
      500,
      500,
    ]);
    expect(quantileOf(counts, 0.5)).toBeCloseTo(10, -1);
    expect(quantileOf(counts, 0.94)).toBeLessThan(12);
    expect(quantileOf(counts, 0.95)).toBeGreaterThan(440);
    expect(quantileOf(counts, 0.95)).toBeLessThan(563);
  });

  it('give nothing where nothing was counted', () => {
    expect(quantileOf(countsOf([]), 0.5)).toBeUndefined();
  });
});
