/** Client spans: one for every attempt, whose context goes to the service. */
import { SpanKind } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import type { AttemptHook } from '../../upstream/attempt.ts';
import type { Attempt } from '../../upstream/call.ts';
import { carriedBy, unwatched } from '../carried.ts';
import { statusOf } from '../error-type.ts';
import { openScope, scopeOf } from '../scope.ts';
import type { Scope } from '../scope.ts';
import type { AttemptNames } from './attempt-names.ts';
import type { EndTimes } from './end-times.ts';
import type { Servers } from './served-by.ts';
import { SpanEnd } from './span-end.ts';
import { addWait } from './waits.ts';
import type { Pauses } from './waits.ts';

export interface AttemptSpanOptions {
  readonly tracer: Tracer;
  readonly servers: Servers;
  readonly pauses: Pauses;
  readonly names: AttemptNames;
  readonly times: EndTimes;
}

export function traceAttempts(options: AttemptSpanOptions): AttemptHook {
  const { tracer, servers, pauses, names, times } = options;
  return function traceAttempt(attempt) {
    const outer = scopeOf(attempt.trace);
    if (outer === undefined) return carriedBy(attempt.trace) ?? unwatched;
    addWait(outer, 'plait.token.wait_ms', Math.round(attempt.tokenMs));
    addWait(outer, 'plait.bulkhead.wait_ms', Math.round(attempt.queuedMs));
    const scope = openScope(tracer, names.of(attempt.operation), {
      kind: SpanKind.CLIENT,
      parent: outer.context,
    });
    outer.begunAt = scope.begunAt;
    const ending = new SpanEnd(scope, attempt, times);
    describeAttempt(scope, attempt);
    const pauseMs = pauses.before(attempt);
    if (pauseMs !== undefined) scope.span.setAttribute('plait.retry.delay_ms', pauseMs);
    servers.show(attempt.callers, { span: scope.span, holder: outer });
    return {
      headers: scope.headers,
      // At once, since the service may hang where it has redirected to.
      onRedirect: (count) => scope.span.setAttribute('plait.redirects', count),
      onEnd({ failure, status, doubt }) {
        if (doubt === 'accepted') scope.span.setAttribute('plait.accepted', true);
        else if (doubt !== undefined) scope.span.setAttribute('plait.lookup.doubt', doubt);
        const answered = status ?? statusOf(failure);
        if (answered !== undefined) scope.span.setAttribute('http.response.status_code', answered);
        servers.noteFollowers(attempt, attempt.callers);
        ending.end(failure);
      },
    };
  };
}

function describeAttempt({ span }: Scope, attempt: Attempt): void {
  const { operation, address, tried, queuedMs, tokenMs } = attempt;
  span.setAttribute('http.request.method', operation.route.method);
  span.setAttribute('url.template', operation.route.template);
  // The current name, and the one from which Jaeger draws its dependency graph.
  span.setAttribute('service.peer.name', operation.service.name);
  span.setAttribute('peer.service', operation.service.name);
  if (tried.length > 1) span.setAttribute('http.request.resend_count', tried.length - 1);
  if (tokenMs >= 0.5) span.setAttribute('plait.token.wait_ms', Math.round(tokenMs));
  if (queuedMs >= 0.5) span.setAttribute('plait.bulkhead.wait_ms', Math.round(queuedMs));
  span.setAttribute('server.address', address.host);
  if (address.port !== undefined) span.setAttribute('server.port', address.port);
}
