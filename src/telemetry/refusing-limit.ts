/** The limit that refused a request, or a call without which it could not be answered. */
import { StepError } from '../engine/step-error.ts';
import { UpstreamError } from '../errors.ts';
import type { LimitName } from '../http/admission.ts';
import type { RequestRecord } from '../http/request-record.ts';

export interface RefusingLimit {
  /** As declared: of the gateway, of a composition, or of a service. */
  readonly name: LimitName | 'bulkhead' | 'breaker';
  /** The service whose limit it is; absent: it is none of a service. */
  readonly service?: string;
}

export function refusingLimit({ refusal, error }: RequestRecord): RefusingLimit | undefined {
  if (refusal !== undefined) return { name: refusal.limit };
  if (!(error instanceof StepError) || !(error.reason instanceof UpstreamError)) return undefined;
  const { step, reason } = error;
  const name = policies.get(reason.kind);
  return name && { name, ...(step.kind === 'call' && { service: step.operation.service.name }) };
}

/** Policies that leave a call unsent, by the kind of that failure. */
const policies = new Map<UpstreamError['kind'], RefusingLimit['name']>([
  ['overloaded', 'bulkhead'],
  ['breaker-open', 'breaker'],
]);
