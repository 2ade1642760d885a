import { describe, expect, it } from 'vitest';
import { percentile, spreadOf } from '../../bench/statistics.ts';

describe('spreadOf', () => {
  it('gives the value in the middle, and the ends', () => {
    expect(spreadOf([5, 1, 9])).toMatchObject({ median: 5, least: 1, most: 9 });
  });

  it('gives the quartiles, between two values where none is at that place', () => {
    expect(spreadOf([50, 10, 20, 40, 30])).toMatchObject({ lower: 20, upper: 40 });
    expect(spreadOf([10, 20, 30, 40])).toMatchObject({ lower: 17.5, median: 25, upper: 32.5 });
    expect(spreadOf([7])).toMatchObject({ lower: 7, upper: 7 });
  });

  it('gives the mean of the two in the middle of an even number', () => {
    expect(spreadOf([4, 1, 2, 9]).median).toBe(3);
  });

  it('sorts by size, not by text', () => {
    expect(spreadOf([100, 9, 20])).toMatchObject({ median: 20, least: 9, most: 100 });
  });

  it('refuses to make something of nothing', () => {
    expect(() => spreadOf([])).toThrow('no median of nothing');
  });
});

describe('percentile', () => {
  it('is a value that was measured', () => {
    const values = Float64Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(percentile(values, 0.5)).toBe(100);
    expect(percentile(values, 0.99)).toBe(198);
    expect(percentile(values, 1)).toBe(200);
  });

  it('of one value is that value', () => {
    expect(percentile(Float64Array.of(7), 0.5)).toBe(7);
  });
});
