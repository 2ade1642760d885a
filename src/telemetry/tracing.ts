/**
 * Spans of requests, steps, batches and attempts. Parents travel in the request's opaque `trace`:
 * async context would cost more, and a batch belongs to several requests at once.
 */
import type { Clock } from '../clock.ts';
import { scopeOf } from './scope.ts';
import { traceAttempts } from './spans/attempt-spans.ts';
import { traceBatches } from './spans/batch-spans.ts';
import { traceRequests } from './spans/request-spans.ts';
import type { RequestSpanOptions } from './spans/request-spans.ts';
import { createEndTimes } from './spans/end-times.ts';
import { createServers } from './spans/served-by.ts';
import { createAttemptNames } from './spans/attempt-names.ts';
import { createPauses, showVainWaits } from './spans/waits.ts';
import { traceSteps } from './spans/step-spans.ts';
import type { Observer } from './telemetry.ts';

export interface TracingOptions extends RequestSpanOptions {
  readonly clock: Clock;
}

export function createTracing(options: TracingOptions): Observer {
  const { tracer, clock } = options;
  const servers = createServers();
  const pauses = createPauses();
  const names = createAttemptNames();
  const times = createEndTimes();
  const watchStep = traceSteps({ tracer, servers, times });
  return {
    watch: ({ operations }) => names.learn(operations),
    watchRequests: [traceRequests(options)],
    watchSteps: ({ trace }) => (scopeOf(trace) === undefined ? undefined : watchStep),
    onJoin: servers.onJoin,
    onRetry: pauses.onRetry,
    onVainWait: showVainWaits(times),
    aroundCall: traceBatches({ tracer, clock, servers, times }),
    watchAttempt: traceAttempts({ tracer, servers, pauses, names, times }),
  };
}
