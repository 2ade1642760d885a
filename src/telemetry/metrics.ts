/** Counts of what was asked of services, and of what sharing saved. Labels are names, never keys or paths. */
import type { Meter } from '@opentelemetry/api';
import { UpstreamError } from '../errors.ts';
import type { Call, Reply } from '../upstream/call.ts';
import type { Telemetry } from './telemetry.ts';

/** Batches hold from one key to some hundreds. */
const batchSizes = [1, 2, 5, 10, 20, 50, 100, 200];

export function createMetrics(meter: Meter): Pick<Telemetry, 'aroundLoad' | 'aroundCall'> {
  const loads = meter.createCounter('plait.loads', {
    description: 'Calls made by steps, by how they were answered',
  });
  const cache = meter.createCounter('plait.cache', {
    description: 'Calls of operations with a cache, by what that had',
  });
  const batchSize = meter.createHistogram('plait.batch.size', {
    description: 'Keys in one request',
    advice: { explicitBucketBoundaries: batchSizes },
  });

  return {
    aroundLoad: (next) => async (call) => {
      const labels = labelsOf(call);
      try {
        const reply = await next(call);
        loads.add(1, { ...labels, result: resultOf(reply) });
        if (reply.cache !== undefined) cache.add(1, { ...labels, result: reply.cache });
        return reply;
      } catch (error) {
        loads.add(1, {
          ...labels,
          result: error instanceof UpstreamError ? error.kind : 'aborted',
        });
        throw error;
      }
    },
    aroundCall: (next) => (call) => {
      if (call.keys !== undefined) batchSize.record(call.keys.length, labelsOf(call));
      return next(call);
    },
  };
}

/** `sent`: it cost a request, or a place in one. */
function resultOf({ deduplicated, cache }: Reply): string {
  if (deduplicated === true) return 'deduplicated';
  return cache === 'hit' || cache === 'stale' ? 'cached' : 'sent';
}

function labelsOf({ operation }: Call): { 'plait.operation': string } {
  return { 'plait.operation': `${operation.service.name}.${operation.name}` };
}
