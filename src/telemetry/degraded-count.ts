/** Counts the parts that are missing in responses, by route, step and reason. */
import type { Meter } from '@opentelemetry/api';
import type { RequestRecord } from '../http/request-record.ts';
import { countBy } from './counts.ts';

/**
 * Returns a function that counts what a request lacks: each step and reason once, also of a list
 * that lacks it in several items.
 */
export function countDegraded(meter: Meter): (record: RequestRecord) => void {
  const parts = countBy(
    meter.createObservableCounter('plait.degraded', {
      unit: '{part}',
      description: 'Parts that responses lack, by route, step and reason',
    }),
    'http.route',
    'plait.step.name',
    'plait.reason',
  );
  return function count({ route = '', degraded }) {
    const counted = new Set<string>();
    for (const { step, error } of degraded) {
      const { kind } = error.reason;
      // Names of steps have no spaces.
      const part = `${step} ${kind}`;
      if (!counted.has(part)) parts.add(1, route, step, kind);
      counted.add(part);
    }
  };
}
