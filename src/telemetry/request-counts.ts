/** Counts of requests of clients: under way, refused, and those that the parser could not read. */
import type { Meter } from '@opentelemetry/api';
import type { LimitName, Refusal } from '../http/admission.ts';
import { bindingsOf, schemeOf } from '../http/request-record.ts';
import type { GatewayContext, WatchRequest } from '../http/request-record.ts';
import { isHealthCheck } from '../http/health.ts';
import { countBy } from './counts.ts';
import { knownMethod } from './method.ts';

/** All limits, and the reason that each stands for. */
const reasons: Readonly<Record<LimitName, Refusal['kind']>> = {
  SHED_DELAY_MS: 'overload',
  REQUESTS_IN_PROGRESS: 'in-progress',
  REQUESTS_PER_ADDRESS: 'in-progress',
  'rateLimits.perAddress': 'rate-limit',
  'rateLimits.perPrincipal': 'rate-limit',
  rateLimit: 'rate-limit',
};

/** Counts every request but health checks. */
export function countRequests(meter: Meter): WatchRequest {
  const active = countBy(
    meter.createObservableUpDownCounter('http.server.active_requests', {
      unit: '{request}',
      description: 'Requests of clients that are under way',
    }),
    'http.request.method',
    'url.scheme',
  );
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
  const unreadable = countBy(
    meter.createObservableCounter('plait.unreadable_requests', {
      unit: '{request}',
      description: 'Requests that were answered without being read, by the status',
    }),
    'http.response.status_code',
  );

  function countEnd(c: GatewayContext): void {
    const { refusal } = c.get('record');
    if (refusal !== undefined) refused.add(1, refusal.kind, refusal.limit);
    if (bindingsOf(c).unreadable !== undefined) unreadable.add(1, c.res.status);
  }

  return function countRequest(c) {
    if (isHealthCheck(c)) return undefined;
    const method = knownMethod(c.req.method);
    const scheme = schemeOf(c);
    active.add(1, method, scheme);
    return function endRequest() {
      active.add(-1, method, scheme);
      countEnd(c);
    };
  };
}
