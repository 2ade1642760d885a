/** Metrics of requests of clients: how many are under way, how long they take, how they end. */
import type { Attributes, Meter } from '@opentelemetry/api';
import type { Clock } from '../clock.ts';
import type { LimitName, Refusal } from '../http/admission.ts';
import { isHealthCheck } from '../http/health.ts';
import { bindingsOf, protocolVersionOf, schemeOf } from '../http/request-record.ts';
import type { GatewayContext, WatchRequest } from '../http/request-record.ts';
import { countBy } from './counts.ts';
import { countDegraded } from './degraded-count.ts';
import { errorType } from './error-type.ts';
import { durationsOf } from './instruments.ts';
import type { Instruments } from './instruments.ts';
import { knownMethod } from './method.ts';

/** Measures every request but health checks. */
export function measureRequests(instruments: Instruments, clock: Clock): WatchRequest {
  const { meter } = instruments;
  const active = countBy(
    meter.createObservableUpDownCounter('http.server.active_requests', {
      unit: '{request}',
      description: 'Requests of clients that are under way',
    }),
    'http.request.method',
    'url.scheme',
  );
  const durations = durationsOf(
    instruments,
    { name: 'http.server.request.duration', description: 'Duration of requests of clients' },
    labelsOf,
  );
  const countRefused = countRefusals(meter);
  const countUnread = countUnreadable(meter);
  const recordDegraded = countDegraded(meter);

  return function measureRequest(c) {
    if (isHealthCheck(c)) return undefined;
    const method = knownMethod(c.req.method);
    const scheme = schemeOf(c);
    active.add(1, method, scheme);
    return function endRequest() {
      active.add(-1, method, scheme);
      const record = c.get('record');
      const { status } = c.res;
      const type = status >= 500 ? (errorType(record.error) ?? String(status)) : undefined;
      const tookS = (clock.now() - record.startedAt) / 1_000;
      durations.record(tookS, scheme, protocolVersionOf(c), method, record.route, status, type);
      if (record.refusal !== undefined) countRefused(record.refusal);
      countUnread(c);
      if (record.degraded.length > 0) recordDegraded(record);
    };
  };
}

type Key = readonly [
  scheme: string,
  version: string | undefined,
  method: string,
  route: string | undefined,
  status: number,
  error: string | undefined,
];

function labelsOf(...[scheme, version, method, route, status, error]: Key): Attributes {
  return {
    'http.request.method': method,
    'http.response.status_code': status,
    'url.scheme': scheme,
    ...(version !== undefined && { 'network.protocol.version': version }),
    ...(route !== undefined && { 'http.route': route }),
    ...(error !== undefined && { 'error.type': error }),
  };
}

/** All limits, and the reason that each stands for. */
const reasons: Readonly<Record<LimitName, Refusal['kind']>> = {
  SHED_DELAY_MS: 'overload',
  REQUESTS_IN_PROGRESS: 'in-progress',
  REQUESTS_PER_ADDRESS: 'in-progress',
  'rateLimits.perAddress': 'rate-limit',
  'rateLimits.perPrincipal': 'rate-limit',
  rateLimit: 'rate-limit',
};

function countRefusals(meter: Meter): (refusal: Refusal) => void {
  const refused = countBy(
    meter.createObservableCounter('plait.refusals', {
      unit: '{request}',
      description: 'Requests that were refused with Retry-After, by reason and limit',
    }),
    'plait.reason',
    'plait.limit',
  );
  // A rate needs a first value to rise from.
  for (const [limit, reason] of Object.entries(reasons)) refused.add(0, reason, limit);
  return ({ kind, limit }) => refused.add(1, kind, limit);
}

function countUnreadable(meter: Meter): (c: GatewayContext) => void {
  const unreadable = countBy(
    meter.createObservableCounter('plait.unreadable_requests', {
      unit: '{request}',
      description: 'Requests that were answered without being read, by the status',
    }),
    'http.response.status_code',
  );
  return (c) => {
    if (bindingsOf(c).unreadable !== undefined) unreadable.add(1, c.res.status);
  };
}
