/** The server span of a request. */
import { SpanKind } from '@opentelemetry/api';
import type { Span, Tracer } from '@opentelemetry/api';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import { isShed } from '../../http/admission.ts';
import { isHealthCheck } from '../../http/health.ts';
import { pathOf, protocolVersionOf, schemeOf } from '../../http/request-record.ts';
import type { GatewayContext, RequestRecord, WatchRequest } from '../../http/request-record.ts';
import { toTrace } from '../carried.ts';
import type { Carried } from '../carried.ts';
import { errorType, messageOf } from '../error-type.ts';
import { refusingLimit } from '../refusing-limit.ts';
import { knownMethod, namedMethod, shownMethod } from '../method.ts';
import { recordedPath, recordedQuery } from '../recorded-target.ts';
import type { RequestSampler } from '../sampler.ts';
import { contextFrom, foreignContext, markError, openScope, unrecorded } from '../scope.ts';
import type { Ids, Scope } from '../scope.ts';
import { now } from '../time.ts';
import { originOf } from '../trace-context.ts';
import type { Trust } from '../trace-context.ts';

export interface RequestSpanOptions extends Trust {
  readonly tracer: Tracer;
  readonly sampler: RequestSampler;
  /** The query parameters that spans may have. Default: none. */
  readonly query?: readonly string[];
  /** For requests that are not recorded: they are part of a trace all the same. */
  readonly ids: IdGenerator;
}

export function traceRequests(options: RequestSpanOptions): WatchRequest {
  const { tracer, sampler, ids } = options;
  const queryNames = new Set(options.query);
  return function traceRequest(c) {
    if (isHealthCheck(c)) return undefined;
    const record = c.get('record');
    const origin = originOf(c.req, record, options);
    const parent = contextFrom(origin.parent);
    const decided = sampler.decide(parent);
    if (decided === undefined) {
      const own = unrecorded(parent, ids);
      nameRequest(record, own, own);
      return undefined;
    }
    const scope = openScope(tracer, namedMethod(c.req.method), {
      kind: SpanKind.SERVER,
      parent: decided,
      ...(origin.foreign && { links: [foreignContext(origin.foreign)] }),
    });
    nameRequest(record, scope, scope.span.spanContext());
    return function endRequest() {
      describeRequest(scope, c, queryNames);
      scope.span.end(now());
    };
  };
}

function nameRequest(record: RequestRecord, carried: Carried, { traceId, spanId }: Ids): void {
  record.trace = toTrace(carried);
  record.traceId = traceId;
  record.spanId = spanId;
}

function describeRequest(scope: Scope, c: GatewayContext, queryNames: ReadonlySet<string>): void {
  const { span } = scope;
  const { status } = c.res;
  const { route, composition, degraded, error, requestId, clientTraceId } = c.get('record');
  const { method } = c.req;
  if (route !== undefined) span.updateName(`${namedMethod(method)} ${route}`);
  const known = knownMethod(method);
  span.setAttribute('http.request.method', known);
  if (known !== method) span.setAttribute('http.request.method_original', shownMethod(method));
  span.setAttribute('url.path', recordedPath(pathOf(c)));
  const query = recordedQuery(c.req.url, queryNames);
  if (query !== undefined) span.setAttribute('url.query', query);
  span.setAttribute('url.scheme', schemeOf(c));
  const version = protocolVersionOf(c);
  if (version !== undefined) span.setAttribute('network.protocol.version', version);
  span.setAttribute('http.response.status_code', status);
  span.setAttribute('plait.request_id', requestId);
  if (route !== undefined) span.setAttribute('http.route', route);
  if (composition !== undefined) span.setAttribute('plait.composition', composition);
  // Links cannot be searched for.
  if (clientTraceId !== undefined) span.setAttribute('plait.client_trace_id', clientTraceId);
  describeRefusal(span, c.get('record'));
  // The client disconnected.
  if (status === 499) {
    span.setAttribute('plait.cancelled', true);
    span.addEvent('cancelled', undefined, now());
  }
  if (degraded.length > 0) {
    span.setAttribute('plait.degraded', [...new Set(degraded.map(({ step }) => step))]);
    // Backends cannot search the list.
    span.setAttribute('plait.partial', true);
  }
  if (status >= 500) markError(scope, errorType(error) ?? String(status), messageOf(error));
}

/** Why it was not served: for what its credentials lack, or by which limit. */
function describeRefusal(span: Span, record: RequestRecord): void {
  const { denied, refusal } = record;
  if (denied !== undefined) span.setAttribute('plait.denied', denied);
  if (isShed(refusal)) span.setAttribute('plait.shed', true);
  const limit = refusingLimit(record);
  if (limit === undefined) return;
  span.setAttribute('plait.limit', limit.name);
  if (limit.service !== undefined) span.setAttribute('plait.service', limit.service);
}
