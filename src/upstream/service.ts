/** One service of a gateway: its policies and addresses, and their status. */
import { isoOf } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { Service } from '../dsl/service.ts';
import type { AttemptHook, OnAttemptEnd } from './attempt.ts';
import { createBalancer } from './balancing/balancer.ts';
import { startHealthChecks } from './balancing/health-check.ts';
import type { Dispatch, OnRetry, OnVainWait, Send } from './call.ts';
import type { Credential } from './credentials/credential.ts';
import type { Tls } from './credentials/tls.ts';
import type { Address } from './exchange/address.ts';
import { createBreaker } from './resilience/breaker.ts';
import type { Breaker } from './resilience/breaker.ts';
import { createBulkhead } from './resilience/bulkhead.ts';
import { createHangWatch } from './resilience/hang-watch.ts';
import { perService } from './pipeline.ts';
import { createRetryBudget } from './resilience/retry-budget.ts';
import type { ErrorReading, LastError } from './state/last-error.ts';
import { createRecentAttempts } from './state/recent-attempts.ts';
import type { AttemptsStatus } from './state/recent-attempts.ts';

export interface OpenService {
  readonly send: Send<Dispatch>;
  /** Takes a retry out of its budget. */
  withdraw(): boolean;
  status(): ServiceStatus;
  /** Stops its health checks and breaks its connections. */
  close(): Promise<void>;
}

/** How a service is: what came of its attempts, and the state of its policies. */
export interface ServiceStatus {
  readonly service: string;
  readonly attempts: AttemptsStatus;
  /** Absent: there was none since the start. */
  readonly lastError?: LastError;
  readonly breaker: Breaker['state'] | 'off';
  /** When it came into that state, in ISO 8601; absent if it is off. */
  readonly breakerSince?: string;
  readonly bulkhead: { readonly inFlight: number; readonly waiting: number };
  readonly endpoints: readonly AddressStatus[];
}

export interface AddressStatus {
  /** `host:port`, or the path of a socket. */
  readonly address: string;
  /** `ejected`: not used after consecutive failures; `unwell`: its health check fails. */
  readonly state: 'used' | 'ejected' | 'unwell';
  /** When it came into that state, in ISO 8601. */
  readonly since: string;
  readonly inFlight: number;
  /** Absent: there was none since the start. */
  readonly lastError?: LastError;
}

export interface ServiceOptions {
  readonly addresses: readonly Address[];
  readonly credential: Credential | undefined;
  readonly tls: Tls | undefined;
  readonly clock: Clock;
  readonly hook: AttemptHook | undefined;
  readonly onAttemptEnd: OnAttemptEnd | undefined;
  readonly onRetry: OnRetry | undefined;
  readonly onVainWait: OnVainWait | undefined;
  readonly traceIdOf: ErrorReading['traceIdOf'];
}

/** The share of a bulkhead's permits that abandoned reads may use. */
const watchShare = 0.05;

export function openService(service: Service, options: ServiceOptions): OpenService {
  const { addresses, credential, tls, clock, traceIdOf } = options;
  const { hook, onAttemptEnd, onRetry, onVainWait } = options;
  const recent = createRecentAttempts({ clock, traceIdOf, nameOf: nameOfAddress });
  const budget = createRetryBudget(service.retryBudget, clock);
  const breaker = service.breaker === false ? undefined : createBreaker(service.breaker, clock);
  const hangWatch = createHangWatch({
    clock,
    most: Math.max(1, Math.floor(service.bulkhead.concurrency * watchShare)),
    isCrowded: () => bulkhead.waiting > 0,
  });
  const bulkhead = createBulkhead(service.bulkhead, clock, {
    giveWay: hangWatch.giveWay,
    onVainWait,
  });
  const balancer = createBalancer(addresses, service.ejection, clock, recent.add);
  const stopChecks = startHealthChecks(service, balancer.health, { credential, tls, clock });

  return {
    send: perService({
      credential,
      budget,
      breaker,
      bulkhead,
      balancer,
      hangWatch,
      hook,
      onAttemptEnd,
      onRetry,
      onRefused: recent.addRefused,
      clock,
    }),
    withdraw: () => budget.withdraw(),
    status: () => ({
      service: service.name,
      attempts: recent.status(),
      ...given(recent.lastError()),
      breaker: breaker?.state ?? 'off',
      ...(breaker && { breakerSince: isoOf(breaker.since) }),
      bulkhead: { inFlight: bulkhead.inFlight, waiting: bulkhead.waiting },
      endpoints: balancer.health.map(({ address, isWell, isEjected, inFlight, since }) => ({
        address: nameOfAddress(address),
        state: isWell ? (isEjected ? 'ejected' : 'used') : 'unwell',
        since: isoOf(since),
        inFlight,
        ...given(recent.lastError(address)),
      })),
    }),
    async close() {
      await stopChecks();
      await Promise.all(addresses.map((address) => address.destroy()));
    },
  };
}

function given(lastError: LastError | undefined): { lastError?: LastError } {
  return lastError === undefined ? {} : { lastError };
}

function nameOfAddress({ host, port }: Address): string {
  return port === undefined ? host : `${host}:${port}`;
}
