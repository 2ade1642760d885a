import { describe, expect, it } from 'vitest';
import type { Attributes, Observable, ObservableCallback } from '@opentelemetry/api';
import { countBy } from '../../src/telemetry/counts.ts';

/** A metric, and what it observes when it is read. */
function createMetric() {
  const callbacks: ObservableCallback[] = [];
  const metric: Observable = {
    addCallback: (callback) => void callbacks.push(callback),
    removeCallback: () => undefined,
  };
  const read = () => {
    const observed: (readonly [number, Attributes | undefined])[] = [];
    const observe = (value: number, attributes?: Attributes) =>
      void observed.push([value, attributes]);
    for (const callback of callbacks) void callback({ observe });
    return observed;
  };
  return { metric, read };
}

describe('counts', () => {
  it('are kept for each combination of values, in the order in which those began', () => {
    const { metric, read } = createMetric();
    const counts = countBy(metric, 'method', 'status');
    counts.add(1, 'GET', 200);
    counts.add(2, 'PUT', 200);
    counts.add(1, 'GET', 200);
    counts.add(-1, 'PUT', 200);
    expect(read()).toEqual([
      [2, { method: 'GET', status: 200 }],
      [1, { method: 'PUT', status: 200 }],
    ]);
  });

  it('are not one for values that read alike when they are joined', () => {
    const { metric, read } = createMetric();
    const counts = countBy(metric, 'one', 'other');
    counts.add(1, 'a b', 'c');
    counts.add(1, 'a', 'b c');
    expect(read()).toHaveLength(2);
  });

  it('begin at 0 where nothing is added', () => {
    const { metric, read } = createMetric();
    countBy(metric, 'reason').add(0, 'overload');
    expect(read()).toEqual([[0, { reason: 'overload' }]]);
  });
});
