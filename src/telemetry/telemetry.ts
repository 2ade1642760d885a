/** What telemetry puts around the other layers; they know nothing of it. */
import type { AroundStep } from '../engine/execution.ts';
import type { Handler } from '../http/exchange.ts';
import type { Policy } from '../upstream/call.ts';

export interface Telemetry {
  readonly aroundHandler: (next: Handler) => Handler;
  readonly aroundStep: AroundStep;
  readonly aroundCall: Policy;
  readonly aroundAttempt: Policy;
  /** Hands over what was recorded; bounded in time, never rejects. */
  shutdown(): Promise<void>;
}

/** Telemetry that is off: nothing is recorded, and a client's trace still reaches the services. */
export const unobserved: Telemetry = {
  aroundHandler: (next) => (request, exchange) => {
    const traceparent = request.headers.get('traceparent');
    return next(
      request,
      traceparent === null ? exchange : Object.assign(exchange, { trace: traceparent }),
    );
  },
  aroundStep: (_, work) => work(),
  aroundCall: (next) => next,
  aroundAttempt: (next) => (call) => {
    const { trace, headers } = call;
    return next(
      typeof trace === 'string' ? { ...call, headers: { ...headers, traceparent: trace } } : call,
    );
  },
  shutdown: async () => undefined,
};
