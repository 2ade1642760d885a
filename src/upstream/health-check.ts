/** Active health checks: asks every endpoint of a service by itself how it is. */
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { operation } from '../dsl/operation.ts';
import type { Service } from '../dsl/service.ts';
import { attemptTimeout } from './attempt-timeout.ts';
import { endpointOf } from './call.ts';
import { toHttpRequest } from './request.ts';
import type { Standing } from './standing.ts';
import { exchange } from './transport.ts';

/** As many answers in a row decide. */
const decisive = 2;

/** Checks until the returned function is called. */
export function startHealthChecks(
  service: Service,
  standings: readonly Standing[],
  clock: Clock,
): () => void {
  const { health } = service;
  if (health === undefined) return () => undefined;
  const stops = standings.map((standing) =>
    check(standing, { clock, intervalMs: health.intervalMs, isWell: questionTo(service, clock) }),
  );
  return () => {
    for (const stop of stops) stop();
  };
}

interface Check {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly isWell: (standing: Standing, signal: AbortSignal) => Promise<boolean>;
}

function check(standing: Standing, { clock, intervalMs, isWell }: Check): () => void {
  const stopped = new AbortController();
  let inRow = 0;
  let cancelTimer = schedule();

  async function ask(): Promise<void> {
    const well = await isWell(standing, stopped.signal);
    if (stopped.signal.aborted) return;
    inRow = well === standing.isWell ? 0 : inRow + 1;
    if (inRow >= decisive) standing.setWell(well);
    cancelTimer = schedule();
  }

  /** Chance keeps many gateways from asking at once. */
  function schedule(): () => void {
    return clock.after(intervalMs * (0.9 + 0.2 * clock.random()), () => void ask());
  }

  return () => {
    cancelTimer();
    stopped.abort(new Error('the gateway stops'));
  };
}

/** Whether the health check's path is answered by a 2xx, within the time of an attempt. */
function questionTo(service: Service, clock: Clock): Check['isWell'] {
  const { path = '/', intervalMs = 1 } = service.health ?? {};
  const timeoutMs = Math.min(service.policies.timeoutMs, intervalMs);
  const healthCheck = operation(service, {
    name: 'healthCheck',
    route: `GET ${path}` as 'GET /', // without parameters, as the service has checked
    response: z.unknown(),
    timeoutMs,
  });
  // Only the status is of interest: the body need not be JSON.
  const send = attemptTimeout(clock)(async (call) => {
    const { status, headers } = await exchange(call, toHttpRequest(call, clock), endpointOf(call));
    return { status, headers, value: null, raw: null };
  });
  return (standing, signal) =>
    send({
      operation: healthCheck,
      args: {},
      headers: {},
      identity: '',
      signal,
      createdAt: clock.now(),
      deadlineAt: clock.now() + timeoutMs,
      trace: undefined,
      waiters: [],
      endpoint: standing.endpoint,
    }).then(
      ({ status }) => status >= 200 && status <= 299,
      () => false,
    );
}
