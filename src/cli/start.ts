/** `plait start`: the gateway, until it is told to stop. */
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { createLoadMeter } from '../edge/load-meter.ts';
import { createOverload } from '../edge/overload.ts';
import { LoadError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { servicesOf } from '../plan/visit.ts';
import { addressProblem, defaultAdminPort, parseSettings } from '../settings/settings.ts';
import { createLog } from '../telemetry/log.ts';
import { startTelemetry } from '../telemetry/sdk.ts';
import { createCacheStore } from '../upstream/caching/cache-store.ts';
import { startGateway } from './gateway.ts';
import { loadCompositions } from './load.ts';
import { whenStopped } from './stop.ts';

export interface StartOptions {
  readonly folder: string;
  /** Serve what is healthy although other compositions do not load, or have no address to call. */
  readonly tolerant: boolean;
}

/** @throws LoadError and ConfigurationError, before anything listens. */
export async function start({ folder, tolerant }: StartOptions): Promise<void> {
  const { plans, notServed } = await loadPlans(folder, tolerant);
  const settings = parseSettings(process.env, servicesOf(plans));
  const { host, port, adminPort, shutdownDelayMs } = settings.server;
  const log = createLog(settings.log);
  const warn = (message: string): void => log.warn({}, message);
  for (const reason of notServed) warn(`Not served: ${reason}`);
  const clock = systemClock;
  const telemetry = await startTelemetry({ settings: settings.telemetry, clock, onWarning: warn });
  const cacheStore = await createCacheStore({ redis: settings.redis, clock, onWarning: warn });
  const limits = settings.overload;
  const overload = createOverload({ limits, meter: createLoadMeter(), clock });
  const gateway = await startGateway({
    plans,
    host,
    port,
    adminPort: adminPort ?? (port === defaultAdminPort ? 0 : defaultAdminPort),
    // A second gateway should not need to be told.
    ...(adminPort === undefined && { otherAdminPort: 0 }),
    addresses: settings.addresses,
    telemetry,
    cacheStore,
    overload,
    clock,
    accessLog: {
      log,
      headers: settings.log.headers,
      withCauses: settings.mode === 'development',
    },
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
    await gateway.close({ delayMs: shutdownDelayMs });
    await log.close();
  });
  console.log(`admin ${gateway.adminUrl}`);
  console.log(`ready ${gateway.url}`);
}

interface Loaded {
  readonly plans: readonly Plan[];
  /** Why the others are not served. */
  readonly notServed: readonly string[];
}

/** All plans, or, where that is tolerated, those that can be served. */
async function loadPlans(folder: string, tolerant: boolean): Promise<Loaded> {
  const { plans, errors } = await loadCompositions(folder);
  if (!tolerant && errors.length > 0) throw new LoadError(errors);
  if (!tolerant) return { plans, notServed: [] };
  const unaddressed = plans.flatMap((plan) => {
    const problem = addressProblem(servicesOf([plan]), process.env);
    return problem === undefined ? [] : [{ plan, problem }];
  });
  return {
    plans: plans.filter((plan) => unaddressed.every((one) => one.plan !== plan)),
    notServed: [
      ...errors.map(({ message }) => message),
      ...unaddressed.map(({ plan, problem }) => `${plan.name}: ${problem}`),
    ],
  };
}

type Warn = (message: string) => void;

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
