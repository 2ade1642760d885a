/** The log lines of `plait start` about its start and its stop. */
import type { Log } from '../telemetry/log.ts';
import type { Served } from './load-plans.ts';

/** Says why compositions are not served, if some are not. */
export function logNotServed(
  log: Pick<Log, 'warn' | 'error'>,
  { plans, notServed, reasons }: Pick<Served, 'plans' | 'notServed' | 'reasons'>,
): void {
  for (const reason of reasons) log.warn({}, `Not served: ${reason}`);
  if (plans.length > 0 || notServed.length === 0) return;
  log.error({}, 'Nothing is served: /readyz answers 503 until the gateway is started again');
}

export interface Stop {
  readonly requestsCut: number;
  readonly reason: string;
  readonly tookMs: number;
}

/** Says why the gateway has stopped, how long that took, and how many requests it has cut off. */
export function logStop(
  log: Pick<Log, 'info' | 'warn'>,
  { reason, tookMs, requestsCut }: Stop,
): void {
  const fields = { reason, duration_ms: Math.round(tookMs), requests_cut: requestsCut };
  log[requestsCut > 0 ? 'warn' : 'info'](fields, 'The gateway has stopped');
}
