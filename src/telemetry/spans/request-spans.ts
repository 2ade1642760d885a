/** The server span of a request. */
import { SpanKind } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import { isShed } from '../../http/admission.ts';
import { isHealthCheck } from '../../http/health.ts';
import { pathOf } from '../../http/request-record.ts';
import type { GatewayContext, Layer, RequestRecord } from '../../http/request-record.ts';
import { toTrace } from '../carried.ts';
import type { Carried } from '../carried.ts';
import { errorType, messageOf } from '../error-type.ts';
import { knownMethod } from '../method.ts';
import type { RequestSampler } from '../sampler.ts';
import { contextFrom, markError, openScope, unrecorded } from '../scope.ts';
import type { Ids, Scope } from '../scope.ts';
import { now } from '../time.ts';

export interface RequestSpanOptions {
  readonly tracer: Tracer;
  readonly sampler: RequestSampler;
  /** For requests that are not recorded: they are part of a trace all the same. */
  readonly ids: IdGenerator;
  /** Whether a peer may decide that its requests are recorded. */
  readonly isTrusted: (peer: string) => boolean;
}

export function traceRequests({ tracer, sampler, ids, isTrusted }: RequestSpanOptions): Layer {
  return async function traceRequest(c, next) {
    if (isHealthCheck(c)) return next();
    const record = c.get('record');
    const parent = contextFrom(c.req, () => isTrusted(record.peer));
    const decided = sampler.decide(parent);
    if (decided === undefined) {
      const own = unrecorded(parent, ids);
      nameRequest(record, own, own);
      return next();
    }
    const scope = openScope(tracer, c.req.method, { kind: SpanKind.SERVER, parent: decided });
    nameRequest(record, scope, scope.span.spanContext());
    try {
      await next();
      describeRequest(scope, c);
    } finally {
      scope.span.end(now());
    }
  };
}

function nameRequest(record: RequestRecord, carried: Carried, { traceId, spanId }: Ids): void {
  record.trace = toTrace(carried);
  record.traceId = traceId;
  record.spanId = spanId;
}

function describeRequest(scope: Scope, c: GatewayContext): void {
  const { span } = scope;
  const { status } = c.res;
  const { route, composition, degraded, error, refusal } = c.get('record');
  const method = knownMethod(c.req.method);
  span.updateName(route === undefined ? method : `${method} ${route}`);
  span.setAttribute('http.request.method', method);
  span.setAttribute('url.path', pathOf(c));
  span.setAttribute('url.scheme', 'http');
  span.setAttribute('http.response.status_code', status);
  if (route !== undefined) span.setAttribute('http.route', route);
  if (composition !== undefined) span.setAttribute('plait.composition', composition);
  if (isShed(refusal)) span.setAttribute('plait.shed', true);
  // The client disconnected.
  if (status === 499) span.setAttribute('plait.cancelled', true);
  if (degraded.length > 0)
    span.setAttribute('plait.degraded', [...new Set(degraded.map(({ step }) => step))]);
  if (status >= 500) markError(scope, errorType(error) ?? String(status), messageOf(error));
}
