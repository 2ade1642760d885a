import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLatencies } from '../../../src/upstream/resilience/latencies.ts';
import { assertProperty } from '../../support/property.ts';

/** Latencies of calls that took these milliseconds. */
function latenciesOf(calls: readonly number[]) {
  const latencies = createLatencies();
  for (const ms of calls) latencies.add(ms);
  return latencies;
}

const upTo = (length: number) => Array.from({ length }, (_, index) => index + 1);

describe('a quantile of latencies', () => {
  it('is unknown before twenty calls', () => {
    expect(createLatencies().quantile(0.5)).toBeUndefined();
    expect(latenciesOf(upTo(19)).quantile(0.5)).toBeUndefined();
    expect(latenciesOf(upTo(20)).quantile(0.5)).toBe(11);
  });

  it('goes by the order of latencies, not of arrival', () => {
    const latencies = latenciesOf([900, 5, 80, ...upTo(16).map((n) => n * 100), 1_000]);
    expect([0.01, 0.5, 0.99].map((p) => latencies.quantile(p))).toEqual([5, 900, 1_600]);
  });

  it('is the longest latency if the share leaves none out', () => {
    expect(latenciesOf(upTo(20)).quantile(0.999)).toBe(20);
    expect(latenciesOf(upTo(20)).quantile(1)).toBe(20);
  });

  it('is computed anew after every twenty calls', () => {
    const latencies = latenciesOf(upTo(20));
    for (const _ of upTo(19)) latencies.add(1_000);
    expect(latencies.quantile(0.95)).toBe(20);
    latencies.add(1_000);
    expect(latencies.quantile(0.95)).toBe(1_000);
  });

  it('forgets calls that were followed by two hundred others', () => {
    const slowAtFirst = [...Array.from({ length: 20 }, () => 9_000), ...upTo(180)];
    expect(latenciesOf(slowAtFirst).quantile(0.95)).toBe(9_000);
    expect(latenciesOf([...slowAtFirst, ...upTo(20)]).quantile(0.999)).toBe(180);
  });
});

const durations = fc.array(fc.nat({ max: 5_000 }), { maxLength: 520, size: 'max' });
const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });

/** The latest two hundred, as they were when the number of calls was last a multiple of twenty. */
function considered(calls: readonly number[]): number[] {
  const counted = calls.slice(0, calls.length - (calls.length % 20));
  return counted.slice(-200).toSorted((a, b) => a - b);
}

describe('a quantile of any latencies', () => {
  it('is what sorting the latest of them gives', () => {
    assertProperty(
      fc.property(durations, share, (calls, p) => {
        const sorted = considered(calls);
        const expected = sorted[Math.floor(sorted.length * p)];
        expect(latenciesOf(calls).quantile(p)).toBe(expected);
      }),
    );
  });

  it('is one of them, and at least the share does not exceed it', () => {
    assertProperty(
      fc.property(durations, share, (calls, p) => {
        const sorted = considered(calls);
        const limit = latenciesOf(calls).quantile(p);
        fc.pre(limit !== undefined);
        expect(sorted).toContain(limit);
        const within = sorted.filter((ms) => limit !== undefined && ms <= limit).length;
        expect(within).toBeGreaterThanOrEqual(sorted.length * p);
      }),
    );
  });

  it('does not change by being read, and is not lower for a larger share', () => {
    assertProperty(
      fc.property(durations, share, share, (calls, p, q) => {
        const asked = createLatencies();
        for (const ms of calls) {
          asked.quantile(p);
          asked.add(ms);
        }
        const [low, high] = [Math.min(p, q), Math.max(p, q)].map((at) => asked.quantile(at));
        expect(low).toBe(latenciesOf(calls).quantile(Math.min(p, q)));
        expect(low ?? 0).toBeLessThanOrEqual(high ?? 0);
      }),
    );
  });
});
