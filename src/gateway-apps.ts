/** The two Hono apps of a gateway: for clients, and for operators. */
import type { Hono } from 'hono';
import type { OpenIdentity } from './edge/identity/identify.ts';
import { hygiene } from './edge/hygiene.ts';
import { browserLayers, edgeLayers } from './edge/layers.ts';
import { rateLimiting } from './edge/limits/rate-limits.ts';
import { shedding } from './edge/overload.ts';
import { createEngine } from './engine/execute.ts';
import type { Execute } from './engine/execute.ts';
import type { CompleteOptions } from './gateway-options.ts';
import { firstRefusal } from './http/admission.ts';
import { requireToken } from './http/admin-token.ts';
import { adminRoutes, onLoopback } from './http/admin.ts';
import type { AdminTelemetry } from './http/admin.ts';
import { createApp } from './http/app.ts';
import { compositionRoutes } from './http/endpoint.ts';
import type { Readiness } from './http/health.ts';
import type { GatewayEnv, WatchRequest } from './http/request-record.ts';
import { accessLog } from './telemetry/access-log.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** The options of a gateway, and the parts of it that both apps are made of. */
export interface GatewayParts extends CompleteOptions {
  readonly identity: OpenIdentity;
  readonly upstreams: Upstreams;
  /** Counts since the start, which the app for clients updates. */
  readonly shed: { steps: number; requests: number; overLimit: number };
  readonly readiness: () => Readiness;
}

/** Telemetry, access log and edge around the compositions, from the outside in. */
export function createClientApp(parts: GatewayParts): Hono<GatewayEnv> {
  const { plans, limitStore, overload, shed } = parts;
  const { telemetry, edge, middleware, readiness, clock, onInternalError } = parts;
  const { unknownQuery, basePath, notServed } = parts;
  const limits = rateLimiting({ plans, edge, store: limitStore });
  const shedRequests = shedding(overload, () => (shed.requests += 1));
  return createApp({
    clock,
    readiness,
    onInternalError,
    watchers: [...telemetry.watchRequests, ...accessLogOf(parts, { isOfOperators: false })],
    outerLayers: browserLayers(edge),
    layers: [
      ...edgeLayers(edge, { rateLimits: limits.layers, onRefusal: () => (shed.overLimit += 1) }),
      ...middleware,
    ],
    routes: compositionRoutes(plans, {
      execute: engineOf(parts),
      clock,
      identifyFor: parts.identity.identifyFor,
      admit: firstRefusal([...limits.admissions, shedRequests]),
      unknownQuery,
      basePath,
      notServed,
      isDevelopment: edge?.isDevelopment ?? false,
    }),
  });
}

/** Answers requests for loopback hosts, or those with the token if there is one. */
export function createAdminApp(parts: GatewayParts): Hono<GatewayEnv> {
  const { upstreams, identity, notServed, adminToken, readiness, clock, onInternalError } = parts;
  return createApp({
    clock,
    readiness,
    onInternalError,
    watchers: accessLogOf(parts, { isOfOperators: true }),
    outerLayers: [],
    layers: [hygiene, adminToken === undefined ? onLoopback : requireToken(adminToken)],
    routes: adminRoutes({
      ...upstreams,
      issuers: identity.issuers,
      notServed,
      telemetry: telemetryForOperators(parts),
    }),
  });
}

function engineOf({ upstreams, clock, telemetry, overload, shed }: GatewayParts): Execute {
  const { watchSteps, onCallEnd } = telemetry;
  const { shedsSteps } = overload;
  const onStepShed = (): void => void (shed.steps += 1);
  return createEngine({ upstreams, clock, watchSteps, onCallEnd, shedsSteps, onStepShed });
}

function accessLogOf(
  { accessLog: logging, clock }: GatewayParts,
  { isOfOperators }: { readonly isOfOperators: boolean },
): WatchRequest[] {
  return logging ? [accessLog({ ...logging, clock, isOfOperators })] : [];
}

function telemetryForOperators({ telemetry, accessLog: logging }: GatewayParts): AdminTelemetry {
  const { metrics, traces } = telemetry;
  return {
    ...(metrics && { metrics }),
    ...(traces && { traces }),
    ...(logging && { logLevel: logging.log.level }),
  };
}
