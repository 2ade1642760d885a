/** Liveness and readiness, which orchestrators ask for all the time. */
import { Hono } from 'hono';
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

export function isHealthCheck({ req: { path } }: GatewayContext): boolean {
  return path === livePath || path === readyPath;
}
