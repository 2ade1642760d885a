/** Metrics of requests, calls, sharing and protection. Labels are names, never keys or paths. */
import type { Attributes, Meter, ObservableCounter } from '@opentelemetry/api';
import type { Clock } from '../clock.ts';
import { operationName } from '../dsl/operation.ts';
import type { Operation } from '../dsl/operation.ts';
import { ExecutionError, UpstreamError } from '../errors.ts';
import { isHealthCheck } from '../http/health.ts';
import { protocolVersionOf, schemeOf } from '../http/request-record.ts';
import type { WatchRequest } from '../http/request-record.ts';
import type { Reply } from '../upstream/call.ts';
import type { Address } from '../upstream/exchange/address.ts';
import { countFailures } from './connection-failures.ts';
import { countBy } from './counts.ts';
import { countDegraded } from './degraded-count.ts';
import { errorType, isCancelled, reasonOf, statusOf } from './error-type.ts';
import { watchGauges } from './gauges.ts';
import type { Histograms } from './histograms.ts';
import { doubtDetector } from './lookup-doubts.ts';
import { knownMethod } from './method.ts';
import { countRequests } from './request-counts.ts';
import type { Observer } from './telemetry.ts';

/** Bucket bounds in seconds, as the semantic conventions for HTTP advise. */
const durations = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Bucket bounds in keys: batches hold from one to some hundreds. */
const batchSizes = [1, 2, 5, 10, 20, 50, 100, 200];

/** Makes instruments: OpenTelemetry's meter, and histograms of our own. */
export interface Instruments {
  readonly meter: Meter;
  readonly histograms: Histograms;
}

export function createMetrics({ meter, histograms }: Instruments, clock: Clock): Observer {
  const requests = histograms.create(
    {
      name: 'http.server.request.duration',
      unit: 's',
      description: 'Duration of requests of clients',
      boundaries: durations,
    },
    labelsOfRequest,
  );
  const attempts = histograms.create(
    {
      name: 'http.client.request.duration',
      unit: 's',
      description: 'Duration of requests to services, one for every attempt',
      boundaries: durations,
    },
    labelsOfAttempt,
  );
  const loads = countResults(
    meter.createObservableCounter('plait.loads', {
      unit: '{call}',
      description: 'Calls made by steps, by how they were answered',
    }),
  );
  const cache = countResults(
    meter.createObservableCounter('plait.cache', {
      unit: '{call}',
      description: 'Calls of operations with a cache, by the answer of the cache',
    }),
  );
  const doubts = countResults(
    meter.createObservableCounter('plait.lookup.doubts', {
      unit: '{answer}',
      description: 'Answers of lookups that may hide items, or have several for one key',
    }),
  );
  const accepted = countResults(
    meter.createObservableCounter('plait.accepted', {
      unit: '{answer}',
      description: 'Answers of 202 with a Location, of operations that declare neither',
    }),
  );
  const detectDoubt = doubtDetector((operation, doubt) =>
    (doubt === 'accepted' ? accepted : doubts).add(operation, doubt, 1),
  );
  const batchSize = histograms.create(
    {
      name: 'plait.batch.size',
      unit: '{key}',
      description: 'Keys in one request',
      boundaries: batchSizes,
    },
    labelsOf,
  );
  const retries = countBy(
    meter.createObservableCounter('plait.retries', {
      unit: '{attempt}',
      description: 'Attempts made after one that had failed',
    }),
    'plait.operation',
  );
  const hedges = countBy(
    meter.createObservableCounter('plait.hedges', {
      unit: '{attempt}',
      description: 'Attempts made beside one that is slow',
    }),
    'plait.operation',
  );
  const recordDegraded = countDegraded(meter);
  const strayErrors = meter.createCounter('plait.stray_errors', {
    unit: '{error}',
    description: 'Rejected promises that nobody waits for, and exceptions that nobody has caught',
  });
  const secondsSince = (startedAt: number): number => (clock.now() - startedAt) / 1_000;

  const measureRequest: WatchRequest = (c) => {
    if (isHealthCheck(c)) return undefined;
    return function endRequest() {
      const record = c.get('record');
      const { startedAt, degraded, route } = record;
      const { status } = c.res;
      const type = status >= 500 ? (errorType(record.error) ?? String(status)) : undefined;
      const method = knownMethod(c.req.method);
      const tookS = secondsSince(startedAt);
      requests.record(tookS, schemeOf(c), protocolVersionOf(c), method, route, status, type);
      if (degraded.length > 0) recordDegraded(record);
    };
  };

  return {
    watch: (gateway) => watchGauges(meter, gateway),
    watchRequests: [countRequests(meter), measureRequest],
    onRetry: ({ operation }) => retries.add(1, operationName(operation)),
    onHedge: ({ operation }) => hedges.add(1, operationName(operation)),
    onConnectionFailure: countFailures(meter),
    onStrayError: (kind) => strayErrors.add(1, { 'plait.kind': kind }),
    onCallEnd: ({ operation, reply, failure, count }) => {
      if (reply === undefined) {
        loads.add(operation, resultOfFailure(failure), count);
        return;
      }
      loads.add(operation, resultOf(reply), count);
      if (reply.cache !== undefined) cache.add(operation, reply.cache, count);
    },
    aroundCall: (next) =>
      function measureBatch(call) {
        if (call.keys !== undefined) batchSize.record(call.keys.length, call.operation);
        return next(call);
      },
    onAttemptEnd(attempt, ending) {
      const { failure, status, tookMs } = ending;
      const type = failure === undefined ? undefined : errorType(failure);
      const { operation, address } = attempt;
      const answered = status ?? statusOf(failure);
      attempts.record(tookMs / 1_000, operation, address, answered, type);
      detectDoubt(attempt, ending);
    },
  };
}

/** Counts by operation and result, kept here until read: a tenth of the cost of an SDK counter. */
function countResults(counter: ObservableCounter) {
  const counts = new Map<Operation, Map<string, number>>();
  counter.addCallback((observed) => {
    for (const [operation, results] of counts) {
      for (const [result, count] of results) {
        observed.observe(count, { ...labelsOf(operation), 'plait.result': result });
      }
    }
  });
  return {
    add(operation: Operation, result: string, count: number): void {
      let results = counts.get(operation);
      if (results === undefined) counts.set(operation, (results = new Map()));
      results.set(result, (results.get(result) ?? 0) + count);
    },
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

function labelsOf(operation: Operation): Attributes {
  return { 'plait.operation': operationName(operation) };
}

type RequestKey = [
  scheme: string,
  version: string | undefined,
  method: string,
  route: string | undefined,
  status: number,
  error: string | undefined,
];

function labelsOfRequest(
  ...[scheme, version, method, route, status, error]: RequestKey
): Attributes {
  return {
    'http.request.method': method,
    'http.response.status_code': status,
    'url.scheme': scheme,
    ...(version !== undefined && { 'network.protocol.version': version }),
    ...(route !== undefined && { 'http.route': route }),
    ...(error !== undefined && { 'error.type': error }),
  };
}

function labelsOfAttempt(
  { route, service }: Operation,
  { host, port }: Address,
  status: number | undefined,
  error: string | undefined,
): Attributes {
  return {
    'http.request.method': route.method,
    'url.template': route.template,
    'server.address': host,
    'server.port': port,
    'service.peer.name': service.name,
    ...(status !== undefined && { 'http.response.status_code': status }),
    ...(error !== undefined && { 'error.type': error }),
  };
}
