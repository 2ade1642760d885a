/** Puts the parts of a gateway together, without opening a socket. `listen.ts` opens them. */
import type { Hono, MiddlewareHandler } from 'hono';
import { basePathRule, parseBasePath } from './base-path.ts';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import type { UnknownQuery } from './dsl/composition.ts';
import { openIdentity } from './edge/identity/identify.ts';
import type { OpenIdentity } from './edge/identity/identify.ts';
import { browserLayers, edgeLayers } from './edge/layers.ts';
import type { EdgeOptions } from './edge/layers.ts';
import { hygiene } from './edge/hygiene.ts';
import type { LimitStore } from './edge/limits/limit-store.ts';
import { createMemoryLimits } from './edge/limits/memory-limits.ts';
import { rateLimiting } from './edge/limits/rate-limits.ts';
import { shedding, neverSheds } from './edge/overload.ts';
import type { Overload } from './edge/overload.ts';
import { createEngine } from './engine/execute.ts';
import { CompositionError, ConfigurationError, toError } from './errors.ts';
import { firstRefusal } from './http/admission.ts';
import { requireToken } from './http/admin-token.ts';
import { adminRoutes, onLoopback } from './http/admin.ts';
import type { AdminTelemetry, IssuerStatus } from './http/admin.ts';
import { createApp } from './http/app.ts';
import type { OnConnectionFailure } from './http/connection-failures.ts';
import { compositionRoutes } from './http/endpoint.ts';
import type { Readiness } from './http/health.ts';
import type { GatewayEnv } from './http/request-record.ts';
import { whyNotServed } from './plan/auth.ts';
import type { NotServed } from './plan/not-served.ts';
import type { Plan } from './plan/plan.ts';
import { operationsOf, servicesOf } from './plan/visit.ts';
import { accessLog } from './telemetry/access-log.ts';
import type { AccessLogOptions } from './telemetry/access-log.ts';
import { traceIdOf } from './telemetry/carried.ts';
import { unobserved } from './telemetry/telemetry.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import type { CacheStore } from './upstream/caching/cache-store.ts';
import { noSecrets } from './upstream/credentials/secrets.ts';
import type { Secrets } from './upstream/credentials/secrets.ts';
import type { ServiceStatus } from './upstream/service.ts';
import { createUpstreams } from './upstream/upstreams.ts';

export interface GatewayOptions {
  readonly plans: readonly Plan[];
  /**
   * Compositions that could not be loaded: their routes answer 503, and a gateway with nothing else
   * is not ready. Default: none.
   */
  readonly notServed?: readonly NotServed[];
  /** The base URLs of every service, by its name. */
  readonly addresses: ReadonlyMap<string, readonly URL[]>;
  /** The secrets that services are sent, as `openParts` reads them. Default: none are known. */
  readonly secrets?: Secrets;
  /**
   * Hono middleware around the compositions, the first one outermost: inside of telemetry, access
   * log and the edge, so that its responses are recorded too.
   */
  readonly middleware?: readonly MiddlewareHandler[];
  /** Called for unexpected errors, which are answered with 500. Default: a process warning. */
  readonly onInternalError?: (error: unknown) => void;
  /** Called at a stop with the operations whose writes are cut. Default: a process warning. */
  readonly onWritesCut?: (operations: readonly string[]) => void;
  /** Called if a cached answer could not be refreshed in the background, which fails no request. */
  readonly onRefreshError?: (error: unknown) => void;
  /** Writes a line for every request, and for what fails on the management side. */
  readonly accessLog?: Pick<AccessLogOptions, 'log' | 'headers' | 'withCauses'>;
  /** Called if the keys of an issuer could not be fetched; those that are known stay in use. */
  readonly onKeysError?: (error: unknown) => void;
  /** Stores answers of services; disposed with the gateway. Default: in this process. */
  readonly cacheStore?: CacheStore;
  /** Counts requests for rate limits; disposed with the gateway. Default: in this process. */
  readonly limitStore?: LimitStore;
  /** Disposed with the gateway. Default: none. */
  readonly telemetry?: Telemetry;
  /** Sheds load; disposed with the gateway. Default: never. */
  readonly overload?: Overload;
  /**
   * The fate of query parameters that no schema names, in compositions that do not say it. Default
   * `'refuse'`.
   */
  readonly unknownQuery?: UnknownQuery;
  /** The clients that are served, and how much of each at a time. Default: all, without limit. */
  readonly edge?: EdgeOptions;
  /** Stands before the routes of compositions, not of health checks: `/api`. Default: none. */
  readonly basePath?: string;
  /**
   * What operators send as `Authorization: Bearer …`, from any host. Default: the management side
   * answers requests for loopback hosts only.
   */
  readonly adminToken?: (() => string) | undefined;
  readonly clock?: Clock;
}

export interface GatewayStatus {
  /** Whether new requests are welcome, as `/readyz` says. */
  readonly ready: boolean;
  readonly upstreams: readonly ServiceStatus[];
  /** The issuers of tokens whose keys are fetched. */
  readonly issuers: readonly IssuerStatus[];
  /** The option of that name. */
  readonly notServed: readonly NotServed[];
}

/**
 * A Hono app for clients and one for operators, to be served, mounted or asked by `app.request()`.
 */
export interface Gateway extends AsyncDisposable {
  readonly app: Hono<GatewayEnv>;
  /** The management side. It answers requests for loopback hosts, or those with a token. */
  readonly admin: Hono<GatewayEnv>;
  status(): GatewayStatus;
  /** Says how to count the clients that are connected, for metrics; `listen` does. */
  countConnections(count: () => number): void;
  /** Takes note of a connection of a client that has failed; `listen` tells it. */
  readonly onConnectionFailure: OnConnectionFailure;
  /** Makes `/readyz` answer 503 from now on; requests are still served. */
  drain(): void;
  /** Waits for writes that are under way although their requests are over, and reports the rest. */
  settleWrites(limitMs: number): Promise<void>;
}

/**
 * @throws CompositionError for plans that are not protected as `edge.definition` says.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const complete = withDefaults(options);
  const { plans, notServed, addresses, middleware, secrets, cacheStore, onRefreshError } = complete;
  const { telemetry, overload, limitStore, unknownQuery, edge, adminToken, clock } = complete;
  const { onInternalError, onWritesCut, accessLog: logging } = complete;
  const identity = protect(options, clock);
  const basePath = checkedBasePath(options.basePath);
  const { onCallEnd, onJoin, onRetry, onHedge, aroundCall, watchSteps } = telemetry;
  const { watchAttempt, onAttemptEnd } = telemetry;
  const hasNothing = plans.length === 0 && notServed.length > 0;
  let readiness: Readiness = hasNothing ? 'nothing-to-serve' : 'ok';
  const upstreams = createUpstreams({
    services: servicesOf(plans),
    addresses,
    clock,
    aroundCall,
    watchAttempt,
    onAttemptEnd,
    traceIdOf,
    onJoin,
    onRetry,
    onHedge,
    ...(secrets && { secrets }),
    ...(cacheStore && { cacheStore }),
    ...(onRefreshError && { onRefreshError }),
  });
  const { shedsSteps } = overload;
  const shed = { steps: 0, requests: 0, overLimit: 0 };
  const onStepShed = (): void => void (shed.steps += 1);
  const execute = createEngine({
    upstreams,
    clock,
    watchSteps,
    onCallEnd,
    shedsSteps,
    onStepShed,
  });
  let connections: (() => number) | undefined;
  telemetry.watch({
    operations: plans.flatMap(operationsOf),
    compositions: { served: plans.length, notServed: notServed.length },
    status: () => upstreams.status(),
    overload,
    shed,
    connections: () => connections?.() ?? 0,
  });
  const rateLimits = rateLimiting({ plans, edge, store: limitStore });
  const resources = new AsyncDisposableStack();
  resources.defer(() => telemetry.shutdown());
  resources.defer(() => upstreams.close());
  resources.defer(() => identity.close());
  resources.defer(() => overload.close());
  resources.defer(() => limitStore.close());
  const shell = { clock, readiness: () => readiness, onInternalError };
  return {
    app: createApp({
      ...shell,
      watchers: [
        ...telemetry.watchRequests,
        ...(logging ? [accessLog({ ...logging, clock, quiet: false })] : []),
      ],
      outerLayers: browserLayers(edge),
      layers: [
        ...edgeLayers(edge, {
          rateLimits: rateLimits.layers,
          onRefusal: () => (shed.overLimit += 1),
        }),
        ...middleware,
      ],
      routes: compositionRoutes(plans, {
        execute,
        clock,
        identifyFor: identity.identifyFor,
        admit: firstRefusal([
          ...rateLimits.admissions,
          shedding(overload, () => (shed.requests += 1)),
        ]),
        unknownQuery,
        basePath,
        notServed,
        isDevelopment: edge?.isDevelopment ?? false,
      }),
    }),
    admin: createApp({
      ...shell,
      watchers: logging ? [accessLog({ ...logging, clock, quiet: true })] : [],
      outerLayers: [],
      layers: [hygiene, adminToken === undefined ? onLoopback : requireToken(adminToken)],
      routes: adminRoutes({
        ...upstreams,
        issuers: identity.issuers,
        notServed,
        telemetry: toAdmin(telemetry, logging),
      }),
    }),
    status: () => ({
      ready: readiness === 'ok',
      upstreams: upstreams.status(),
      issuers: identity.issuers(),
      notServed,
    }),
    countConnections(count) {
      connections = count;
    },
    onConnectionFailure: (failure) => telemetry.onConnectionFailure?.(failure),
    async settleWrites(limitMs) {
      const left = await upstreams.settleWrites(limitMs);
      if (left.length > 0) onWritesCut(left);
    },
    drain() {
      readiness = 'stopping';
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function withDefaults(options: GatewayOptions) {
  const { clock = systemClock, limitStore = createMemoryLimits({ clock }) } = options;
  const { notServed = [], middleware = [], unknownQuery = 'refuse' } = options;
  const { telemetry = unobserved, overload = neverSheds } = options;
  const { onInternalError = warnOf, onWritesCut = warnOfWrites } = options;
  const own = { clock, limitStore, notServed, middleware, unknownQuery, telemetry, overload };
  return { ...options, ...own, onInternalError, onWritesCut };
}

/** Refuses plans that `edge.definition` does not protect, and opens its authenticators. */
function protect(options: GatewayOptions, clock: Clock): OpenIdentity {
  const { plans, edge, secrets = noSecrets, onKeysError = () => undefined } = options;
  const authenticators = edge?.definition?.authenticators ?? [];
  for (const plan of plans) {
    const problem = whyNotServed(plan, authenticators);
    if (problem !== undefined) throw new CompositionError(plan.name, problem);
  }
  return openIdentity({ authenticators, secrets, clock, onKeysError });
}

/** @throws ConfigurationError for a path that no route can begin with. */
function checkedBasePath(given = ''): string {
  const basePath = parseBasePath(given);
  if (basePath !== undefined) return basePath;
  throw new ConfigurationError(`basePath is ${JSON.stringify(given)}. Use ${basePathRule}.`);
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

function warnOfWrites(operations: readonly string[]): void {
  process.emitWarning(writesCut(operations));
}

/** The warning of writes that a stop has cut. */
export function writesCut(operations: readonly string[]): string {
  return `The stop cut writes whose outcome is unknown: ${operations.join(', ')}`;
}

function warnOf(error: unknown): void {
  process.emitWarning(toError(error));
}
