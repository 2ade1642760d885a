/** Counts the parts that are missing in responses, by route, step and reason. */
import type { Meter } from '@opentelemetry/api';
import type { RequestRecord } from '../http/request-record.ts';

type Counts = Map<string, number>;

/**
 * Returns a function that counts what a request lacks: each step and reason once, also of a list
 * that lacks it in several items. The counts are kept here until they are read.
 */
export function countDegraded(meter: Meter): (record: RequestRecord) => void {
  const routes = new Map<string, Map<string, Counts>>();
  meter
    .createObservableCounter('plait.degraded', {
      unit: '{part}',
      description: 'Parts that responses lack, by route, step and reason',
    })
    .addCallback((observed) => {
      for (const [route, steps] of routes) {
        for (const [step, reasons] of steps) {
          for (const [reason, count] of reasons) {
            const labels = { 'http.route': route, 'plait.step.name': step, 'plait.reason': reason };
            observed.observe(count, labels);
          }
        }
      }
    });

  return function count({ route = '', degraded }) {
    const lacking = new Map<string, Set<string>>();
    for (const { step, error } of degraded) {
      within(lacking, step, () => new Set<string>()).add(error.reason.kind);
    }
    for (const [step, reasons] of lacking) {
      const counts = within(
        within(routes, route, () => new Map<string, Counts>()),
        step,
        newCounts,
      );
      for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
  };
}

function newCounts(): Counts {
  return new Map();
}

/** The value of a key, which is made if there is none. */
function within<Value>(all: Map<string, Value>, key: string, make: () => Value): Value {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made = make();
  all.set(key, made);
  return made;
}
