/** One service of a gateway: the policies every attempt to call it runs through, outermost first. */
import type { Clock } from '../clock.ts';
import type { Service } from '../dsl/service.ts';
import { attemptTimeout } from './resilience/attempt-timeout.ts';
import { createBalancer } from './balancing/balancer.ts';
import { createBreaker } from './resilience/breaker.ts';
import type { Breaker } from './resilience/breaker.ts';
import { createBulkhead } from './resilience/bulkhead.ts';
import type { Send, Watch } from './call.ts';
import { endpointOf, inTurn, pipeline } from './call.ts';
import type { Endpoint } from './exchange/endpoint.ts';
import { startHealthChecks } from './balancing/health-check.ts';
import { hedge } from './resilience/hedge.ts';
import { parseReply } from './exchange/parse.ts';
import { toHttpRequest } from './exchange/request.ts';
import { createRetryBudget } from './resilience/retry-budget.ts';
import { retry } from './resilience/retry.ts';
import { exchange } from './exchange/transport.ts';

export interface OpenService {
  readonly send: Send;
  status(): ServiceStatus;
  /** Ends its health checks and breaks its connections. */
  close(): Promise<void>;
}

/** How a service is doing, as far as its policies know. */
export interface ServiceStatus {
  readonly service: string;
  readonly breaker: Breaker['state'] | 'off';
  readonly bulkhead: { readonly inFlight: number; readonly waiting: number };
  readonly endpoints: readonly EndpointStatus[];
}

export interface EndpointStatus {
  /** `host:port` */
  readonly address: string;
  /** `ejected`: left alone after failures in a row; `unwell`: its health check fails. */
  readonly state: 'used' | 'ejected' | 'unwell';
  readonly inFlight: number;
}

export interface ServiceOptions {
  readonly endpoints: readonly Endpoint[];
  readonly clock: Clock;
  readonly watchAttempt: Watch | undefined;
}

export function openService(service: Service, options: ServiceOptions): OpenService {
  const { endpoints, clock, watchAttempt } = options;
  const budget = createRetryBudget(service.retryBudget, clock);
  const breaker = service.breaker === false ? undefined : createBreaker(service.breaker, clock);
  const bulkhead = createBulkhead(service.bulkhead, clock);
  const balancer = createBalancer(endpoints, service.ejection, clock);

  const send: Send = async (call) => {
    const request = toHttpRequest(call, clock);
    call.sent.count += 1;
    const raw = await exchange(call, request, endpointOf(call));
    const reply = await parseReply(call, raw);
    call.status = reply.status;
    return reply;
  };

  const stopChecks = startHealthChecks(service, balancer.standings, clock);
  return {
    send: pipeline(
      [
        retry({ clock, budget, hasUntried: balancer.hasUntried }),
        hedge(clock, budget),
        inTurn([
          ...(breaker ? [breaker.turn] : []),
          bulkhead.turn,
          attemptTimeout(clock),
          balancer.turn,
          ...(watchAttempt ? [watchAttempt] : []),
        ]),
      ],
      send,
    ),
    status: () => ({
      service: service.name,
      breaker: breaker?.state ?? 'off',
      bulkhead: { inFlight: bulkhead.inFlight, waiting: bulkhead.waiting },
      endpoints: balancer.standings.map(({ endpoint, isWell, isEjected, inFlight }) => ({
        address: `${endpoint.host}:${endpoint.port}`,
        state: isWell ? (isEjected ? 'ejected' : 'used') : 'unwell',
        inFlight,
      })),
    }),
    async close() {
      await stopChecks();
      await Promise.all(endpoints.map((endpoint) => endpoint.destroy()));
    },
  };
}
