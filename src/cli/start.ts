/** `plait start`: the gateway, until it is told to stop. */
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { createLoadMeter } from '../edge/load-meter.ts';
import { createOverload } from '../edge/overload.ts';
import { ConfigurationError, LoadError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { operationsOf } from '../plan/visit.ts';
import { createLog } from '../telemetry/log.ts';
import { startTelemetry } from '../telemetry/sdk.ts';
import { createCacheStore } from '../upstream/caching/cache-store.ts';
import { addressesOf } from '../upstream/exchange/endpoint.ts';
import type { Environment } from '../environment.ts';
import { readConfiguration } from './environment.ts';
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
  const { host, port, mode, environment } = configuration;
  const log = createLog(configuration.log);
  const warn = (message: string): void => log.warn({}, message);
  const plans = await loadPlans(folder, { tolerant, environment, warn });
  const clock = systemClock;
  const { serverTiming } = configuration;
  const telemetry = await startTelemetry({
    mode,
    environment,
    clock,
    serverTiming,
    onWarning: warn,
  });
  const cacheStore = await createCacheStore({ environment, clock, onWarning: warn });
  const limits = configuration.overload;
  const overload = createOverload({ limits, meter: createLoadMeter(), clock });
  const gateway = await startGateway({
    plans,
    host,
    port,
    adminPort: configuration.adminPort ?? (port === defaultAdminPort ? 0 : defaultAdminPort),
    // A second gateway should not need to be told.
    ...(configuration.adminPort === undefined && { otherAdminPort: 0 }),
    environment,
    telemetry,
    cacheStore,
    overload,
    clock,
    accessLog: { log, headers: configuration.loggedHeaders, withCauses: mode === 'development' },
    // The log has it already, with the request it happened to.
    onInternalError: () => undefined,
    onRefreshError: refreshReporter(clock, warn),
  }).catch(async (error: unknown) => {
    // Their timers and connections would keep the process alive.
    overload.close();
    await Promise.all([cacheStore.close(), telemetry.shutdown()]);
    throw error;
  });
  // Before it says that it is there: who reads that may want it to stop at once.
  whenStopped(async () => {
    await gateway.close({ delayMs: configuration.shutdownDelayMs });
    await log.close();
  });
  console.log(`admin ${gateway.adminUrl}`);
  console.log(`ready ${gateway.url}`);
}

async function loadPlans(
  folder: string,
  { tolerant, environment, warn }: { tolerant: boolean; environment: Environment; warn: Warn },
): Promise<readonly Plan[]> {
  const { plans, errors } = await loadCompositions(folder);
  if (!tolerant && errors.length > 0) throw new LoadError(errors);
  if (!tolerant) return plans;
  for (const { message } of errors) warn(`Not served: ${message}`);
  return plans.filter((plan) => hasAddresses(plan, environment, warn));
}

type Warn = (message: string) => void;

function hasAddresses(plan: Plan, environment: Environment, warn: Warn): boolean {
  try {
    for (const { service } of operationsOf(plan)) addressesOf(service, environment);
    return true;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    warn(`Not served: ${plan.name}: ${error.message}`);
    return false;
  }
}

/** Says why kept answers could not be refreshed, once a minute for each reason. */
function refreshReporter(clock: Clock, warn: Warn): (error: unknown) => void {
  const said = new Map<string, number>();
  return (error) => {
    const reason = error instanceof Error ? error.message : String(error);
    if (clock.now() - (said.get(reason) ?? -Infinity) < 60_000) return;
    if (said.size > 100) said.clear();
    said.set(reason, clock.now());
    warn(`A kept answer could not be refreshed: ${reason}`);
  };
}
