/** Makes the instruments that metrics are recorded by. */
import type { Attributes, Meter } from '@opentelemetry/api';
import { operationName } from '../dsl/operation.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Histogram, Histograms } from './histograms.ts';

/** OpenTelemetry's meter, and histograms of our own. */
export interface Instruments {
  readonly meter: Meter;
  readonly histograms: Histograms;
}

/** Bucket bounds in seconds, as the semantic conventions for HTTP advise. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** A histogram in seconds. */
export function durationsOf<Key extends readonly unknown[]>(
  { histograms }: Instruments,
  described: { readonly name: string; readonly description: string },
  labelsOf: (...key: Key) => Attributes,
): Histogram<Key> {
  return histograms.create({ ...described, unit: 's', boundaries }, labelsOf);
}

export function labelsOfOperation(operation: Operation): Attributes {
  return { 'plait.operation': operationName(operation) };
}

export interface OperationCounts {
  add(operation: Operation, result: string, count: number): void;
}

/** Counts by operation and result, which are found by identity: no name is made to count. */
export function countResults(
  { meter }: Instruments,
  described: { readonly name: string; readonly unit: string; readonly description: string },
): OperationCounts {
  const counts = new Map<Operation, Map<string, number>>();
  meter.createObservableCounter(described.name, described).addCallback((observed) => {
    for (const [operation, results] of counts) {
      for (const [result, count] of results) {
        observed.observe(count, { ...labelsOfOperation(operation), 'plait.result': result });
      }
    }
  });
  return {
    add(operation, result, count) {
      let results = counts.get(operation);
      if (results === undefined) counts.set(operation, (results = new Map()));
      results.set(result, (results.get(result) ?? 0) + count);
    },
  };
}
