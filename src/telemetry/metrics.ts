/** Metrics of requests, calls, sharing and protection. Labels are names, never keys or paths. */
import type { Clock } from '../clock.ts';
import type { OnCallEnd } from '../engine/execution.ts';
import { ExecutionError, UpstreamError } from '../errors.ts';
import type { Reply } from '../upstream/call.ts';
import { measureAttempts, measureBatches } from './attempt-metrics.ts';
import { countFailures } from './connection-failures.ts';
import { isCancelled, reasonOf } from './error-type.ts';
import { watchGauges } from './gauges.ts';
import { countResults } from './instruments.ts';
import type { Instruments } from './instruments.ts';
import { measureRequests } from './request-metrics.ts';
import type { Observer } from './telemetry.ts';

export function createMetrics(instruments: Instruments, clock: Clock): Observer {
  const { meter } = instruments;
  const strayErrors = meter.createCounter('plait.stray_errors', {
    unit: '{error}',
    description: 'Rejected promises that nobody waits for, and exceptions that nobody has caught',
  });
  return {
    watch: (gateway) => watchGauges(meter, gateway),
    watchRequests: [measureRequests(instruments, clock)],
    onCallEnd: countCalls(instruments),
    aroundCall: measureBatches(instruments),
    onAttemptEnd: measureAttempts(instruments),
    onConnectionFailure: countFailures(meter),
    onStrayError: (kind) => strayErrors.add(1, { 'plait.kind': kind }),
  };
}

function countCalls(instruments: Instruments): OnCallEnd {
  const loads = countResults(instruments, {
    name: 'plait.loads',
    unit: '{call}',
    description: 'Calls made by steps, by how they were answered',
  });
  const cache = countResults(instruments, {
    name: 'plait.cache',
    unit: '{call}',
    description: 'Calls of operations with a cache, by the answer of the cache',
  });
  return function countCall({ operation, reply, failure, count }) {
    const result = reply === undefined ? resultOfFailure(failure) : resultOf(reply);
    loads.add(operation, result, count);
    if (reply?.cache !== undefined) cache.add(operation, reply.cache, count);
  };
}

/** Cancelled calls are nobody's fault; those whose request ran out of time may be the service's. */
function resultOfFailure(failure: unknown): string {
  if (isCancelled(failure)) return 'cancelled';
  const reason = reasonOf(failure);
  const isOwn = reason instanceof UpstreamError || reason instanceof ExecutionError;
  return isOwn ? reason.kind : 'failed';
}

/** How a call was answered; `sent` means by a request, which a batch may share with other calls. */
function resultOf({ deduplicated, cache }: Reply): string {
  if (deduplicated === true) return 'deduplicated';
  return cache === 'hit' || cache === 'stale' ? 'cached' : 'sent';
}
