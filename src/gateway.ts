/** Puts the parts of a gateway together, without opening a socket. `listen.ts` opens them. */
import type { Hono } from 'hono';
import { openIdentity } from './edge/identity/identify.ts';
import type { OpenIdentity } from './edge/identity/identify.ts';
import { CompositionError } from './errors.ts';
import { createAdminApp, createClientApp } from './gateway-apps.ts';
import type { GatewayParts } from './gateway-apps.ts';
import { withDefaults } from './gateway-options.ts';
import type { CompleteOptions, GatewayOptions } from './gateway-options.ts';
import type { IssuerStatus } from './http/admin.ts';
import type { OnConnectionFailure } from './http/connection-failures.ts';
import type { Readiness } from './http/health.ts';
import type { GatewayEnv } from './http/request-record.ts';
import { whyNotServed } from './plan/auth.ts';
import type { NotServed } from './plan/not-served.ts';
import { operationsOf, servicesOf } from './plan/visit.ts';
import { traceIdOf } from './telemetry/carried.ts';
import type { ServiceStatus } from './upstream/service.ts';
import { createUpstreams } from './upstream/upstreams.ts';
import type { Upstreams } from './upstream/upstreams.ts';

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
  const { plans, notServed, telemetry, onWritesCut } = complete;
  const identity = protect(complete);
  const upstreams = openUpstreams(complete);
  const hasNothing = plans.length === 0 && notServed.length > 0;
  let readiness: Readiness = hasNothing ? 'nothing-to-serve' : 'ok';
  const shed = { steps: 0, requests: 0, overLimit: 0 };
  const parts = { ...complete, identity, upstreams, shed, readiness: () => readiness };
  let connections: (() => number) | undefined;
  watchState(parts, () => connections?.() ?? 0);
  const resources = resourcesOf(parts);
  return {
    app: createClientApp(parts),
    admin: createAdminApp(parts),
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

/** Refuses plans that `edge.definition` does not protect, and opens its authenticators. */
function protect({ plans, edge, secrets, clock, onKeysError }: CompleteOptions): OpenIdentity {
  const authenticators = edge?.definition?.authenticators ?? [];
  for (const plan of plans) {
    const problem = whyNotServed(plan, authenticators);
    if (problem !== undefined) throw new CompositionError(plan.name, problem);
  }
  return openIdentity({ authenticators, secrets, clock, onKeysError });
}

function openUpstreams(complete: CompleteOptions): Upstreams {
  const { plans, addresses, secrets, clock, cacheStore, onRefreshError, telemetry } = complete;
  const { aroundCall, watchAttempt, onAttemptEnd, onJoin, onRetry, onVainWait } = telemetry;
  return createUpstreams({
    services: servicesOf(plans),
    addresses,
    secrets,
    clock,
    aroundCall,
    watchAttempt,
    onAttemptEnd,
    traceIdOf,
    onJoin,
    onRetry,
    onVainWait,
    ...(cacheStore && { cacheStore }),
    ...(onRefreshError && { onRefreshError }),
  });
}

function watchState(parts: GatewayParts, connections: () => number): void {
  const { telemetry, plans, notServed, upstreams, overload, shed } = parts;
  telemetry.watch({
    operations: plans.flatMap(operationsOf),
    compositions: { served: plans.length, notServed: notServed.length },
    status: () => upstreams.status(),
    overload,
    shed,
    connections,
  });
}

/** The last one is disposed of first. */
function resourcesOf(parts: GatewayParts): AsyncDisposableStack {
  const { telemetry, upstreams, identity, overload, limitStore } = parts;
  const resources = new AsyncDisposableStack();
  resources.defer(() => telemetry.shutdown());
  resources.defer(() => upstreams.close());
  resources.defer(() => identity.close());
  resources.defer(() => overload.close());
  resources.defer(() => limitStore.close());
  return resources;
}
