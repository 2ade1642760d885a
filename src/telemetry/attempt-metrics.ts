/** Metrics of attempts, and of the batches that they are made for. */
import type { Attributes, Meter } from '@opentelemetry/api';
import { operationName } from '../dsl/operation.ts';
import type { Operation } from '../dsl/operation.ts';
import type { OnAttemptEnd } from '../upstream/attempt.ts';
import type { Attempt, Dispatch, Policy } from '../upstream/call.ts';
import type { Address } from '../upstream/exchange/address.ts';
import { countBy } from './counts.ts';
import { errorType, statusOf } from './error-type.ts';
import { countResults, durationsOf, labelsOfOperation } from './instruments.ts';
import type { Instruments } from './instruments.ts';
import { doubtDetector } from './lookup-doubts.ts';

export function measureAttempts(instruments: Instruments): OnAttemptEnd {
  const durations = durationsOf(
    instruments,
    {
      name: 'http.client.request.duration',
      description: 'Duration of requests to services, one for every attempt',
    },
    labelsOf,
  );
  const countFurther = countFurtherAttempts(instruments.meter);
  const detectDoubt = countDoubts(instruments);
  return function measureAttempt(attempt, ending) {
    const { failure, status, tookMs } = ending;
    const type = failure === undefined ? undefined : errorType(failure);
    const answered = status ?? statusOf(failure);
    durations.record(tookMs / 1_000, attempt.operation, attempt.address, answered, type);
    if (attempt.further !== undefined) countFurther(attempt);
    detectDoubt(attempt, ending);
  };
}

/** The address of a socket has no port. */
function labelsOf(
  { route, service }: Operation,
  { host, port }: Address,
  status: number | undefined,
  error: string | undefined,
): Attributes {
  return {
    'http.request.method': route.method,
    'url.template': route.template,
    'server.address': host,
    ...(port !== undefined && { 'server.port': port }),
    'service.peer.name': service.name,
    ...(status !== undefined && { 'http.response.status_code': status }),
    ...(error !== undefined && { 'error.type': error }),
  };
}

/** At their end: a retry may be called off in the pause before it, and not be made at all. */
function countFurtherAttempts(meter: Meter): (attempt: Attempt) => void {
  const counts = {
    retry: countBy(
      meter.createObservableCounter('plait.retries', {
        unit: '{attempt}',
        description: 'Attempts made after one that had failed',
      }),
      'plait.operation',
    ),
    hedge: countBy(
      meter.createObservableCounter('plait.hedges', {
        unit: '{attempt}',
        description: 'Attempts made beside one that is slow',
      }),
      'plait.operation',
    ),
  };
  return ({ further, operation }) => {
    if (further !== undefined) counts[further].add(1, operationName(operation));
  };
}

function countDoubts(instruments: Instruments): OnAttemptEnd {
  const doubts = countResults(instruments, {
    name: 'plait.lookup.doubts',
    unit: '{answer}',
    description: 'Answers of lookups that may hide items, or have several for one key',
  });
  const accepted = countResults(instruments, {
    name: 'plait.accepted',
    unit: '{answer}',
    description: 'Answers of 202 with a Location, of operations that declare neither',
  });
  return doubtDetector((operation, doubt) =>
    (doubt === 'accepted' ? accepted : doubts).add(operation, doubt, 1),
  );
}

/** Bucket bounds in keys: batches hold from one to some hundreds. */
const batchSizes = [1, 2, 5, 10, 20, 50, 100, 200];

export function measureBatches({ histograms }: Instruments): Policy<Dispatch> {
  const sizes = histograms.create(
    {
      name: 'plait.batch.size',
      unit: '{key}',
      description: 'Keys in one request',
      boundaries: batchSizes,
    },
    labelsOfOperation,
  );
  return (next) =>
    function measureBatch(call) {
      if (call.keys !== undefined) sizes.record(call.keys.length, call.operation);
      return next(call);
    };
}
