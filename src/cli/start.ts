/** `plait start`: the gateway, until it is told to stop. */
import { createServer } from 'node:net';
import { systemClock } from '../clock.ts';
import { ConfigurationError, LoadError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { operationsOf } from '../plan/visit.ts';
import { reportFailures } from '../telemetry/report.ts';
import { startTelemetry } from '../telemetry/sdk.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { createCacheStore } from '../upstream/cache-store.ts';
import { addressesOf } from '../upstream/endpoint.ts';
import type { Environment } from '../upstream/endpoint.ts';
import { readConfiguration } from './environment.ts';
import type { Configuration } from './environment.ts';
import { startGateway } from './gateway.ts';
import { loadCompositions } from './load.ts';
import { whenStopped } from './stop.ts';

export interface StartOptions {
  readonly folder: string;
  /** Serve what is healthy although other compositions do not load, or have no address to call. */
  readonly tolerant: boolean;
}

const defaultAdminPort = 8081;

/** @throws LoadError and ConfigurationError, before anything listens. */
export async function start({ folder, tolerant }: StartOptions): Promise<void> {
  const configuration = readConfiguration(process.env);
  const { host, port, environment } = configuration;
  const plans = await loadPlans(folder, { tolerant, environment });
  const clock = systemClock;
  const telemetry = await startObserving(configuration);
  const cacheStore = await createCacheStore({ environment, clock, onWarning: warn });
  const gateway = await startGateway({
    plans,
    host,
    port,
    adminPort: configuration.adminPort ?? (await freePort(defaultAdminPort)),
    environment,
    telemetry,
    cacheStore,
    clock,
    // The report has it already, with the request it happened to.
    onInternalError: () => undefined,
  }).catch(async (error: unknown) => {
    // Its connection would keep the process alive.
    await cacheStore.close();
    throw error;
  });
  console.log(`admin ${gateway.adminUrl}`);
  console.log(`ready ${gateway.url}`);
  whenStopped(() => gateway.close({ delayMs: configuration.shutdownDelayMs }));
}

async function loadPlans(
  folder: string,
  { tolerant, environment }: { tolerant: boolean; environment: Environment },
): Promise<readonly Plan[]> {
  const { plans, errors } = await loadCompositions(folder);
  if (!tolerant && errors.length > 0) throw new LoadError(errors);
  if (!tolerant) return plans;
  for (const { message } of errors) warn(`Not served: ${message}`);
  return plans.filter((plan) => hasAddresses(plan, environment));
}

function hasAddresses(plan: Plan, environment: Environment): boolean {
  try {
    for (const { service } of operationsOf(plan)) addressesOf(service, environment);
    return true;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    warn(`Not served: ${plan.name}: ${error.message}`);
    return false;
  }
}

/** Telemetry, and a line on standard error for what goes wrong. */
async function startObserving({ mode, environment }: Configuration): Promise<Telemetry> {
  const telemetry = await startTelemetry({
    mode,
    environment,
    clock: systemClock,
    onWarning: warn,
  });
  const report = reportFailures({ write: warn, withCauses: mode === 'development' });
  return { ...telemetry, aroundHandler: (next) => telemetry.aroundHandler(report(next)) };
}

/** `preferred`, or 0 when something listens there: a second gateway should not need to be told. */
function freePort(preferred: number): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(0));
    probe.listen(preferred, '127.0.0.1', () => probe.close(() => resolve(preferred)));
  });
}

function warn(message: string): void {
  console.error(message);
}
