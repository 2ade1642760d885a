/** Active health checks: asks every endpoint of a service by itself how it is. */
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { operation } from '../../dsl/operation.ts';
import type { Service } from '../../dsl/service.ts';
import { AbortSource } from '../../signal.ts';
import type { Signal } from '../../signal.ts';
import { attemptTimeout } from '../resilience/attempt-timeout.ts';
import { endpointOf, inTurn } from '../call.ts';
import { createEndpoint } from '../exchange/endpoint.ts';
import type { Endpoint } from '../exchange/endpoint.ts';
import { toHttpRequest } from '../exchange/request.ts';
import type { Standing } from './standing.ts';
import { exchange } from '../exchange/transport.ts';

/** As many answers in a row decide. */
const decisive = 2;

/** Checks until the returned function is called. */
export function startHealthChecks(
  service: Service,
  standings: readonly Standing[],
  clock: Clock,
): () => Promise<void> {
  const { health } = service;
  if (health === undefined) return async () => undefined;
  const isWell = questionTo(service, clock);
  const checks = standings.map((standing) => {
    // A connection of its own: it would wait behind the calls of a service that has many under way.
    const endpoint = anotherTo(standing.endpoint, service);
    const ask = (signal: Signal): Promise<boolean> => isWell(endpoint, signal);
    return { endpoint, stop: check(standing, { clock, intervalMs: health.intervalMs, ask }) };
  });
  return async () => {
    for (const { stop } of checks) stop();
    await Promise.all(checks.map(({ endpoint }) => endpoint.destroy()));
  };
}

interface Check {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly ask: (signal: Signal) => Promise<boolean>;
}

function check(standing: Standing, { clock, intervalMs, ask }: Check): () => void {
  const stopped = new AbortSource();
  let inRow = 0;
  let cancelTimer = schedule();

  async function look(): Promise<void> {
    const well = await ask(stopped);
    if (stopped.aborted) return;
    inRow = well === standing.isWell ? 0 : inRow + 1;
    if (inRow >= decisive) {
      standing.setWell(well);
      inRow = 0;
    }
    cancelTimer = schedule();
  }

  /** Chance keeps many gateways from asking at once. */
  function schedule(): () => void {
    return clock.after(intervalMs * (0.9 + 0.2 * clock.random()), () => void look());
  }

  return () => {
    cancelTimer();
    stopped.abort(new Error('the gateway stops'));
  };
}

function anotherTo({ origin, prefix }: Endpoint, service: Service): Endpoint {
  return createEndpoint(service, new URL(origin + prefix), 1);
}

/** Whether the health check's path is answered by a 2xx, within the time of an attempt. */
function questionTo(
  service: Service,
  clock: Clock,
): (endpoint: Endpoint, signal: Signal) => Promise<boolean> {
  const { path = '/', intervalMs = 1 } = service.health ?? {};
  const timeoutMs = Math.min(service.policies.timeoutMs, intervalMs);
  const healthCheck = operation(service, {
    name: 'healthCheck',
    route: `GET ${path}` as 'GET /', // without parameters, as the service has checked
    response: z.unknown(),
    timeoutMs,
  });
  // Only the status is of interest: the body need not be JSON.
  const send = inTurn([attemptTimeout(clock)])(async (call) => {
    const { status, headers } = await exchange(call, toHttpRequest(call, clock), endpointOf(call));
    return { status, headers, value: null, raw: null };
  });
  return (endpoint, signal) =>
    send({
      operation: healthCheck,
      args: {},
      headers: {},
      identity: '',
      signal,
      createdAt: clock.now(),
      deadlineAt: clock.now() + timeoutMs,
      sent: { count: 0 },
      trace: undefined,
      waiters: [],
      endpoint,
    }).then(
      ({ status }) => status >= 200 && status <= 299,
      () => false,
    );
}
