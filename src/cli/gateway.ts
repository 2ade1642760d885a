/** Puts the parts of a gateway together. */
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { hygiene } from '../edge/hygiene.ts';
import { shedding, unlimited } from '../edge/overload.ts';
import type { Overload } from '../edge/overload.ts';
import { createEngine } from '../engine/execute.ts';
import { adminRoutes, onLoopback } from '../http/admin.ts';
import type { AdminTelemetry } from '../http/admin.ts';
import { createApp } from '../http/app.ts';
import { compositionRoutes } from '../http/endpoint.ts';
import type { Layer } from '../http/request-record.ts';
import { startServer } from '../http/server.ts';
import type { RunningServer, ServerOptions } from '../http/server.ts';
import type { Plan } from '../plan/plan.ts';
import { servicesOf } from '../plan/visit.ts';
import { accessLog } from '../telemetry/access-log.ts';
import type { AccessLogOptions } from '../telemetry/access-log.ts';
import { unobserved } from '../telemetry/telemetry.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { CacheStore } from '../upstream/caching/cache-store.ts';
import { createUpstreams } from '../upstream/upstreams.ts';

export interface GatewayOptions {
  readonly plans: readonly Plan[];
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Of the management side, which only this machine reaches; 0: any free port; absent: there is none. */
  readonly adminPort?: number | undefined;
  /** For when it cannot listen at `adminPort`. */
  readonly otherAdminPort?: number;
  /** The base URLs of every service, by its name. */
  readonly addresses: ReadonlyMap<string, readonly URL[]>;
  readonly onInternalError: (error: unknown) => void;
  /** Writes a line for every request, and for what fails on the management side. */
  readonly accessLog?: Pick<AccessLogOptions, 'log' | 'headers' | 'withCauses'>;
  /** Told why a kept answer could not be refreshed: no request fails of it. */
  readonly onRefreshError?: (error: unknown) => void;
  /** Where answers of services are kept; closed with the gateway. Default: this process. */
  readonly cacheStore?: CacheStore;
  readonly telemetry?: Telemetry;
  /** What it leaves undone when it has too much to do; closed with the gateway. Default: nothing. */
  readonly overload?: Overload;
  readonly clock?: Clock;
}

export interface Gateway {
  readonly url: string;
  readonly adminUrl: string | undefined;
  /**
   * Says no at `/readyz` and takes requests for another `delayMs` (default 0), then finishes what is
   * under way within `graceMs` (default 10,000), and lets go of everything.
   */
  close(options?: { readonly delayMs?: number; readonly graceMs?: number }): Promise<void>;
}

/** @throws ConfigurationError when a port is taken. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { plans, addresses, onInternalError, cacheStore } = options;
  const { telemetry = unobserved, clock = systemClock, onRefreshError } = options;
  const { overload = unlimited, accessLog: logging } = options;
  let ready = true;
  const { onLoad, aroundCall, watchAttempt, watchStep } = telemetry;
  const upstreams = createUpstreams({
    services: servicesOf(plans),
    addresses,
    clock,
    aroundCall,
    attemptHook: watchAttempt,
    ...(cacheStore && { cacheStore }),
    ...(onRefreshError && { onRefreshError }),
  });
  const { shedsSteps } = overload;
  const execute = createEngine({ upstreams, clock, watchStep, onLoad, shedsSteps });
  telemetry.watch({ status: () => upstreams.status(), overload });
  const shell = { clock, isReady: () => ready, onInternalError };
  const logged = (quiet: boolean): Layer[] =>
    logging ? [accessLog({ ...logging, clock, quiet })] : [];
  const servers = await startServers(options, {
    main: createApp({
      ...shell,
      observers: [...telemetry.layers, ...logged(false)],
      layers: [hygiene],
      routes: compositionRoutes(plans, { execute, clock, admit: shedding(overload) }),
    }),
    admin: createApp({
      ...shell,
      observers: logged(true),
      layers: [hygiene, onLoopback],
      routes: adminRoutes({ ...upstreams, telemetry: toAdmin(telemetry, logging) }),
    }),
  }).catch(async (error: unknown) => {
    // Health checks would keep the process alive.
    await upstreams.close();
    throw error;
  });
  return {
    url: servers.main.url,
    adminUrl: servers.admin?.url,
    async close({ delayMs = 0, graceMs = 10_000 } = {}) {
      ready = false;
      servers.main.drain();
      if (delayMs > 0) await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
      await servers.main.close(graceMs);
      // Last: until then it says that the gateway is stopping.
      await servers.admin?.close(adminGraceMs);
      overload.close();
      await upstreams.close();
      await telemetry.shutdown();
    },
  };
}

function toAdmin(
  { metrics, traces }: Telemetry,
  logging: GatewayOptions['accessLog'],
): AdminTelemetry {
  return {
    ...(metrics && { metrics }),
    ...(traces && { traces }),
    ...(logging && { logLevel: logging.log.level }),
  };
}

type App = ServerOptions['app'];

interface Servers {
  readonly main: RunningServer;
  readonly admin: RunningServer | undefined;
}

/** Starts both or none. */
async function startServers(
  options: GatewayOptions,
  apps: { readonly main: App; readonly admin: App },
): Promise<Servers> {
  const { host, port, onInternalError } = options;
  const admin = await startAdmin(options, apps.admin);
  try {
    const main = await startServer({
      app: apps.main,
      host,
      port,
      setBy: 'PORT and HOST',
      onInternalError,
    });
    return { main, admin };
  } catch (error) {
    await admin?.close(0);
    throw error;
  }
}

async function startAdmin(
  { adminPort, otherAdminPort, onInternalError }: GatewayOptions,
  app: App,
): Promise<RunningServer | undefined> {
  if (adminPort === undefined) return undefined;
  const startAt = (port: number): Promise<RunningServer> =>
    startServer({ app, host: '127.0.0.1', port, setBy: 'ADMIN_PORT', onInternalError });
  if (otherAdminPort === undefined) return startAt(adminPort);
  // By trying: two gateways that start at once would both find it free.
  return startAt(adminPort).catch(() => startAt(otherAdminPort));
}

/** Nobody far away is asking there. */
const adminGraceMs = 1_000;
