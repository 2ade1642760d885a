/** Puts the parts of a gateway together. */
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { Service } from '../dsl/service.ts';
import { createEngine } from '../engine/execute.ts';
import { createApp } from '../http/app.ts';
import { startServer } from '../http/server.ts';
import { operationsOf } from '../plan/compile.ts';
import type { Plan } from '../plan/plan.ts';
import { unobserved } from '../telemetry/telemetry.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Environment } from '../upstream/endpoint.ts';
import { createUpstreams } from '../upstream/upstreams.ts';

export interface GatewayOptions {
  readonly plans: readonly Plan[];
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly environment: Environment;
  readonly onInternalError: (error: unknown) => void;
  readonly telemetry?: Telemetry;
  readonly clock?: Clock;
}

export interface Gateway {
  readonly url: string;
  /** Says no at `/readyz`, finishes what is under way within `graceMs`, and lets go of everything. */
  close(graceMs?: number): Promise<void>;
}

/** @throws ConfigurationError when an address is missing or the port is taken. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { plans, host, port, environment, onInternalError } = options;
  const { telemetry = unobserved, clock = systemClock } = options;
  let ready = true;
  const { aroundCall, aroundAttempt, aroundStep, aroundHandler } = telemetry;
  const upstreams = createUpstreams({
    services: servicesOf(plans),
    environment,
    clock,
    aroundCall,
    aroundAttempt,
  });
  const execute = createEngine({ upstreams, clock, aroundStep });
  const app = createApp({ plans, execute, isReady: () => ready, onInternalError });
  const server = await startServer({ handler: aroundHandler(app), host, port, clock });
  return {
    url: server.url,
    async close(graceMs = 10_000) {
      ready = false;
      await server.close(graceMs);
      await upstreams.close();
      await telemetry.shutdown();
    },
  };
}

function servicesOf(plans: readonly Plan[]): Service[] {
  return [...new Set(plans.flatMap(operationsOf).map((operation) => operation.service))];
}
