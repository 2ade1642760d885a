/** Limits the requests in progress, in all and of each client, so that no client takes it all. */
import { problemResponse, refusalProblem } from '../http/error-response.ts';
import { isHealthCheck } from '../http/health.ts';
import { bindingsOf } from '../http/request-record.ts';
import type { Layer } from '../http/request-record.ts';
import { groupOfRequest } from './client-address.ts';

export interface InProgressLimits {
  /** Of one address; IPv6 counts by /64. */
  readonly requestsPerAddress: number;
  readonly requests: number;
  /** Whether a peer is a proxy of ours, whose requests count for the address it forwards. */
  readonly isTrusted: (peer: string) => boolean;
}

/**
 * Refuses what exceeds a limit at once, by a 503 with `Retry-After`, but no health checks. A request
 * is in progress until its answer is written: one that nobody reads takes memory.
 */
export function limitInProgress(limits: InProgressLimits): Layer {
  const { requestsPerAddress, requests, isTrusted } = limits;
  const byAddress = new Map<string, number>();
  let all = 0;

  function begin(address: string | undefined): () => void {
    all += 1;
    if (address !== undefined) byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
    return function end() {
      all -= 1;
      if (address === undefined) return;
      const left = (byAddress.get(address) ?? 0) - 1;
      if (left > 0) byAddress.set(address, left);
      else byAddress.delete(address);
    };
  }

  return function limitRequests(c, next) {
    if (isHealthCheck(c)) return next();
    const record = c.get('record');
    const { outgoing } = bindingsOf(c);
    const address = groupOfRequest(c, isTrusted);
    const ofAddress = address === undefined ? 0 : (byAddress.get(address) ?? 0);
    if (all >= requests || ofAddress >= requestsPerAddress) {
      record.refusal = { kind: 'in-progress', retryAfterSeconds: 1 };
      return Promise.resolve(problemResponse(refusalProblem(record.refusal), c));
    }
    const end = begin(address);
    if (outgoing === undefined) return next().finally(end);
    outgoing.once('close', end);
    return next();
  };
}
