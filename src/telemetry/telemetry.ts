/** What telemetry puts around the other layers; they know nothing of it. */
import type { AroundStep } from '../engine/execution.ts';
import type { Handler } from '../http/exchange.ts';
import type { Policy } from '../upstream/call.ts';

export interface Telemetry {
  readonly aroundHandler: (next: Handler) => Handler;
  readonly aroundStep: AroundStep;
  /** Around every call a step makes, before anything is shared. */
  readonly aroundLoad: Policy;
  /** Around every call that goes to a service: of a batch, around the batch. */
  readonly aroundCall: Policy;
  readonly aroundAttempt: Policy;
  /** Hands over what was recorded; bounded in time, never rejects. */
  shutdown(): Promise<void>;
}

/** `traceparent` of version 00 (W3C Trace Context): nothing else a client may write there is handed on. */
const traceContext = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Telemetry that is off: nothing is recorded, and a client's trace still reaches the services. */
export const unobserved: Telemetry = {
  aroundHandler: (next) => (request, exchange) => {
    const [traceparent, traceId] =
      traceContext.exec(request.headers.get('traceparent') ?? '') ?? [];
    return next(request, Object.assign(exchange, { trace: traceparent, traceId }));
  },
  aroundStep: (_, work) => work(),
  aroundLoad: (next) => next,
  aroundCall: (next) => next,
  aroundAttempt: (next) => (call) => {
    const { trace, headers } = call;
    return next(
      typeof trace === 'string' ? { ...call, headers: { ...headers, traceparent: trace } } : call,
    );
  },
  shutdown: async () => undefined,
};
