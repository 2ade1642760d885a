/** Liveness and readiness, which orchestrators ask for all the time. */
import { Hono } from 'hono';
import { basePath } from 'hono/route';
import { livePath, readyPath } from '../reserved-paths.ts';
import type { GatewayContext, GatewayEnv } from './request-record.ts';
import { jsonResponse } from './sized-response.ts';

/** `nothing-to-serve`: no composition could be loaded, or has the addresses that it needs. */
export type Readiness = 'ok' | 'stopping' | 'nothing-to-serve';

export function healthRoutes(readiness: () => Readiness): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get(livePath, () => jsonResponse({ status: 'ok' }))
    .get(readyPath, () => {
      const status = readiness();
      return jsonResponse({ status }, status === 'ok' ? 200 : 503);
    });
}

/** Also below the path at which the gateway is mounted in another app. */
export function isHealthCheck(c: GatewayContext): boolean {
  const { path } = c.req;
  if (!path.endsWith(livePath) && !path.endsWith(readyPath)) return false;
  const own = path.slice(basePath(c).replace(/\/$/, '').length);
  return own === livePath || own === readyPath;
}
