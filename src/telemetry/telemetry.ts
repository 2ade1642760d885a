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

/** Telemetry that is off. */
export const unobserved: Telemetry = {
  aroundHandler: (next) => next,
  aroundStep: (_, work) => work(),
  aroundCall: (next) => next,
  aroundAttempt: (next) => next,
  shutdown: async () => undefined,
};
