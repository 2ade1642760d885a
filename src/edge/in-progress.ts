/** Limits the requests in progress, in all and of each client, so that no client takes it all. */
import { problemResponse, refusalProblem } from '../http/error-response.ts';
import { isHealthCheck } from '../http/health.ts';
import { bindingsOf } from '../http/request-record.ts';
import type { Layer } from '../http/request-record.ts';
import { createTally } from '../tally.ts';
import { groupOfRequest } from './client-address.ts';
import type { IsTrusted } from './client-address.ts';

export interface InProgressLimits {
  /** Of one address; IPv6 counts by /64. */
  readonly requestsPerAddress: number;
  readonly requests: number;
  /** Whether a peer is a proxy of ours, whose requests count for the address it forwards. */
  readonly isTrusted: IsTrusted;
  /** Called when a request is refused. */
  readonly onRefusal?: (() => void) | undefined;
}

/**
 * Refuses what exceeds a limit at once, by a 503 with `Retry-After`, but no health checks. A
 * request is in progress until its answer is written: one that its client does not read takes
 * memory.
 */
export function limitInProgress(limits: InProgressLimits): Layer {
  const { requestsPerAddress, requests, isTrusted, onRefusal } = limits;
  const byAddress = createTally();
  let all = 0;

  function begin(address: string | undefined): () => void {
    all += 1;
    if (address !== undefined) byAddress.add(address);
    return function end() {
      all -= 1;
      if (address !== undefined) byAddress.remove(address);
    };
  }

  return function limitRequests(c, next) {
    if (isHealthCheck(c)) return next();
    const record = c.get('record');
    const { incoming, outgoing } = bindingsOf(c);
    const address = groupOfRequest(c, isTrusted);
    const ofAddress = address === undefined ? 0 : byAddress.count(address);
    if (all >= requests || ofAddress >= requestsPerAddress) {
      onRefusal?.();
      const limit = all >= requests ? 'REQUESTS_IN_PROGRESS' : 'REQUESTS_PER_ADDRESS';
      record.refusal = { kind: 'in-progress', limit, retryAfterSeconds: 1 };
      return Promise.resolve(problemResponse(refusalProblem(record.refusal), c));
    }
    const end = begin(address);
    // The client may have left before, while a layer around the gateway took its time: no `close`
    // is to come. Over HTTP/2, the socket of a request stands for its stream.
    const hasLeft = incoming?.socket.destroyed === true;
    if (outgoing === undefined || hasLeft) return next().finally(end);
    outgoing.once('close', end);
    return next();
  };
}
