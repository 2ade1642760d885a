/** `plait start`: runs the gateway until it gets a signal to stop. */
import { createGateway } from '../gateway.ts';
import { listen } from '../listen.ts';
import type { ListenOptions } from '../listen.ts';
import { openParts } from '../parts.ts';
import { servicesOf } from '../plan/visit.ts';
import { defaultAdminPort, parseSettings } from '../settings/settings.ts';
import { isHere } from '../settings/admin.ts';
import { plainTextWarnings } from '../settings/sources.ts';
import type { ServerSettings } from '../settings/settings.ts';
import { runningVariable } from './child.ts';
import { loadPlans } from './load-plans.ts';
import { turnOffPretenuring } from './pretenuring.ts';
import { whenNobodyReads } from './output.ts';
import { unansweredReporter, watchStrayErrors } from './stray-errors.ts';
import { logNotServed, logStart, logStop } from './start-lines.ts';
import { ignoreOtherSignals, whenStopped } from './stop.ts';
import { startWatchdog } from './watchdog.ts';

export interface StartOptions {
  readonly folder: string;
  /** Serve what is healthy although other compositions do not load, or have no address to call. */
  readonly tolerant: boolean;
}

/** @throws LoadError and ConfigurationError, before anything listens. */
export async function start({ folder, tolerant }: StartOptions): Promise<void> {
  turnOffPretenuring();
  const loaded = await loadPlans(folder, tolerant);
  const { plans, definition, notServed, warnings, claims } = loaded;
  const { authenticators } = definition;
  const settings = parseSettings(process.env, servicesOf(plans), authenticators);
  const parts = await openParts(settings);
  logNotServed(parts.log, loaded);
  for (const warning of warnings) parts.log.warn({}, warning);
  const plain = plainTextWarnings(servicesOf(plans), settings, authenticators);
  for (const warning of plain) parts.log.warn({}, warning);
  const gateway = createGateway({
    plans,
    notServed,
    ...parts,
    edge: { ...parts.edge, definition },
  });
  const { certificate } = parts;
  let requestsCut = 0;
  const listening = await listen(gateway, {
    ...whereToListen(settings.server),
    certificate,
    onRequestsCut: (count) => (requestsCut = count),
    onInternalError: unansweredReporter(parts.clock, parts.log),
  });
  const watchdog = startWatchdog({
    limitMs: settings.hangLimitMs,
    log: settings.log,
    onEnd: () => parts.log.warn({}, 'The watchdog has ended: a hang will not be noticed'),
  });
  // Before `ready`: a supervisor that reads it may send a signal at once.
  const drain = async (reason: string): Promise<void> => {
    const startedAt = performance.now();
    await listening.close({ delayMs: settings.server.shutdownDelayMs });
    await watchdog[Symbol.asyncDispose]();
    logStop(parts.log, { requestsCut, reason, tookMs: performance.now() - startedAt });
    await parts.log.close();
  };
  whenStopped(drain);
  ignoreOtherSignals((signal) => parts.log.warn({}, `${signal} is ignored: SIGTERM stops`));
  watchStrayErrors({
    log: parts.log,
    onStrayError: parts.telemetry.onStrayError,
    drain: () => drain('an exception was not caught'),
  });
  logStart(parts.log, { settings, listening, plans, notServed });
  // Those whom the lines below are for may be gone, and clients are not.
  whenNobodyReads(() => undefined);
  console.log(`admin ${listening.adminUrl}`);
  if (process.connected && process.env[runningVariable] !== undefined) process.send?.({ claims });
  console.log(`ready ${listening.url}`);
}

function whereToListen({ host, port, admin, sockets }: ServerSettings): ListenOptions {
  const common = { host, port, sockets, adminHost: admin.host };
  if (admin.port !== undefined) return { ...common, adminPort: admin.port };
  // Another machine has to know the port.
  if (!isHere(admin.host)) return { ...common, adminPort: defaultAdminPort };
  // So that a second gateway on this machine needs no ADMIN_PORT.
  const first = port === defaultAdminPort ? 0 : defaultAdminPort;
  return { ...common, adminPort: first, otherAdminPort: 0 };
}
