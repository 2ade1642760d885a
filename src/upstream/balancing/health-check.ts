/** Active health checks: requests the health path of every address of a service regularly. */
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { operation } from '../../dsl/declare-operation.ts';
import type { Service } from '../../dsl/service.ts';
import { AbortSource } from '../../signal.ts';
import type { Signal } from '../../signal.ts';
import { attemptTimeout } from '../resilience/attempt-timeout.ts';
import type { Credential } from '../credentials/credential.ts';
import type { Address } from '../exchange/address.ts';
import { toHttpRequest } from '../exchange/request.ts';
import { openAddress } from '../exchange/tls-address.ts';
import type { Tls } from '../credentials/tls.ts';
import type { AddressHealth } from './address-health.ts';
import { exchange } from '../exchange/transport.ts';

/** How many consecutive results change the state of an address. */
const decisive = 2;

export interface HealthCheckOptions {
  readonly credential?: Credential | undefined;
  readonly tls?: Tls | undefined;
  readonly clock: Clock;
}

/** Starts the checks of a service; the returned function stops them. */
export function startHealthChecks(
  service: Service,
  addresses: readonly AddressHealth[],
  { credential, tls, clock }: HealthCheckOptions,
): () => Promise<void> {
  const { health } = service;
  if (health === undefined) return async () => undefined;
  const isWell = questionTo(service, { credential, clock });
  const checks = addresses.map((checked) => {
    // With a connection of its own, a check does not wait behind the calls of a busy service.
    const address = openAddress(service, checked.address.url, { tls, connections: 1 });
    const ask: Check['ask'] = (signal) => isWell(address, signal);
    return { address, stop: check(checked, { clock, intervalMs: health.intervalMs, ask }) };
  });
  return async () => {
    for (const { stop } of checks) stop();
    await Promise.all(checks.map(({ address }) => address.destroy()));
  };
}

interface Check {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** `undefined`: the address could not be asked. */
  readonly ask: (signal: Signal) => Promise<boolean | undefined>;
}

function check(checked: AddressHealth, { clock, intervalMs, ask }: Check): () => void {
  const stopped = new AbortSource();
  let inRow = 0;
  let cancelTimer = schedule();

  async function look(): Promise<void> {
    const well = await ask(stopped);
    if (stopped.aborted) return;
    inRow = well === undefined || well === checked.isWell ? 0 : inRow + 1;
    if (well !== undefined && inRow >= decisive) {
      checked.setWell(well);
      inRow = 0;
    }
    cancelTimer = schedule();
  }

  /** With jitter, so that many gateways do not check at once. */
  function schedule(): () => void {
    return clock.after(intervalMs * (0.9 + 0.2 * clock.random()), () => void look());
  }

  return () => {
    cancelTimer();
    stopped.abort(new Error('the gateway stops'));
  };
}

/** Whether an address answers the health path with a 2xx before the timeout. */
function questionTo(
  service: Service,
  { credential, clock }: HealthCheckOptions,
): (address: Address, signal: Signal) => Promise<boolean | undefined> {
  const { path = '/', intervalMs = 1 } = service.health ?? {};
  const timeoutMs = Math.min(service.policies.timeoutMs, intervalMs);
  const healthCheck = operation(service, {
    name: 'healthCheck',
    route: `GET ${path}` as 'GET /', // `defineService` allows no parameters
    response: z.unknown(),
    timeoutMs,
  });
  const bound = attemptTimeout(clock);
  return async function isWell(address, signal) {
    const deadlineAt = clock.now() + timeoutMs;
    const question = { operation: healthCheck, args: {}, headers: {}, keys: undefined, deadlineAt };
    const own = bound({ operation: healthCheck, signal });
    try {
      // Without a token, the answer would say nothing about the address.
      if (credential !== undefined && !(await credential.isReady(own.signal))) return undefined;
      const asked = toHttpRequest(question, clock);
      const request = credential === undefined ? asked : credential.attach(asked, question);
      // Only the status counts: the body does not have to be JSON.
      const { status } = await exchange({ ...question, address, signal: own.signal }, request);
      return status >= 200 && status <= 299;
    } catch {
      // The reason is not logged: checks repeat for as long as the gateway runs.
      return false;
    } finally {
      own.onEnd();
    }
  };
}
