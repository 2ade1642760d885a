/** The management side: what an operator asks of a running gateway, never on the public address. */
import { Hono } from 'hono';
import { z } from 'zod';
import { tagPattern } from '../dsl/cache.ts';
import { RequestError, UnavailableError } from '../errors.ts';
import { readJsonBody } from './body.ts';
import { parseBody } from './inputs.ts';
import { hostNameOf } from './request-record.ts';
import type { GatewayEnv, Layer } from './request-record.ts';
import { jsonResponse, sizedResponse } from './sized-response.ts';
import type { NotServed } from '../plan/not-served.ts';
import type { ServiceStatus } from '../upstream/service.ts';
import type { LastError } from '../upstream/state/last-error.ts';

/** How it is with the keys of an issuer of tokens. */
export interface IssuerStatus {
  /** Its names, as in the `iss` of tokens. */
  readonly issuers: readonly string[];
  /** The URL of its keys, without a query. */
  readonly address: string;
  /** `not-asked`: no token has needed them yet; `unavailable`: no token can be verified. */
  readonly state: 'not-asked' | 'known' | 'unavailable';
  /** When they were fetched last, in ISO 8601. */
  readonly fetchedAt?: string;
  readonly lastError?: Pick<LastError, 'kind' | 'status' | 'code' | 'at'>;
}

export interface AdminOptions {
  /**
   * Drops cached answers with any of `tags`; rejects when a part of the cache cannot be reached.
   */
  readonly invalidate: (tags: readonly string[]) => Promise<number>;
  /** The state of every service. */
  readonly status: () => readonly ServiceStatus[];
  /** The state of every issuer whose keys are fetched. Default: there is none. */
  readonly issuers?: () => readonly IssuerStatus[];
  /** The compositions that are not served. Default: none. */
  readonly notServed?: readonly NotServed[];
  /** Absent parts are not served. */
  readonly telemetry?: AdminTelemetry;
}

export interface AdminTelemetry {
  /** In the Prometheus text format. */
  readonly metrics?: () => Promise<string>;
  readonly traces?: { latest(): readonly object[]; find(traceId: string): object | undefined };
  readonly logLevel?: {
    readonly known: readonly string[];
    get(): string;
    /** Takes one that is known. */
    set(level: string): void;
  };
}

const Invalidation = z.strictObject({
  tags: z
    .array(
      z.string().regex(tagPattern, 'must be up to 64 letters, digits and . : _ -, as in "orders"'),
    )
    .min(1)
    .max(1_000),
});

const ownNames = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Refuses a Host other than loopback. Protects against DNS rebinding, by which a web page makes its
 * visitor's browser send requests here under a name of its own.
 */
export const onLoopback: Layer = function onLoopback(c, next) {
  if (!ownNames.has(hostNameOf(c)))
    throw new RequestError('misdirected-request', 'Use 127.0.0.1 or localhost as the host.');
  return next();
};

export function adminRoutes({
  invalidate,
  status,
  issuers = () => [],
  notServed = [],
  telemetry = {},
}: AdminOptions): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>();
  addMetrics(routes, telemetry);
  addTraces(routes, telemetry);
  addLogLevel(routes, telemetry);
  const missing = notServed.map(({ name, route, reason }) => ({
    composition: name,
    ...(route && { route: route.text }),
    reason,
  }));
  routes.get('/upstreams', () =>
    jsonResponse({ upstreams: status(), issuers: issuers(), notServed: missing }),
  );
  routes.post('/cache/invalidate', async (c) => {
    const { tags } = parseBody(Invalidation, await readJsonBody(c.req));
    const invalidated = await invalidate([...new Set(tags)]).catch(toUnavailable);
    return jsonResponse({ invalidated });
  });
  return routes;
}

function addMetrics(routes: Hono<GatewayEnv>, { metrics }: AdminTelemetry): void {
  if (metrics === undefined) return;
  routes.get('/metrics', async () =>
    sizedResponse(await metrics(), 200, {
      'cache-control': 'no-store',
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    }),
  );
}

function addTraces(routes: Hono<GatewayEnv>, { traces }: AdminTelemetry): void {
  if (traces === undefined) return;
  routes.get('/traces', () => jsonResponse({ traces: traces.latest() }));
  routes.get('/traces/:traceId', (c) => {
    const trace = traces.find(c.req.param('traceId'));
    if (trace === undefined) throw new RequestError('not-found', 'There is no such trace.');
    return jsonResponse(trace);
  });
}

function addLogLevel(routes: Hono<GatewayEnv>, { logLevel }: AdminTelemetry): void {
  if (logLevel === undefined) return;
  const answer = (): Response => jsonResponse({ level: logLevel.get() });
  const Level = z.strictObject({ level: z.enum(logLevel.known) });
  routes.get('/log', answer);
  routes.put('/log', async (c) => {
    logLevel.set(parseBody(Level, await readJsonBody(c.req)).level);
    return answer();
  });
}

function toUnavailable(cause: unknown): never {
  throw new UnavailableError(
    'A part of the cache could not be reached, so its answers remain. Try again.',
    {
      cause,
    },
  );
}
