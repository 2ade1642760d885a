/** Liveness and readiness, which orchestrators ask for all the time. */
import { Hono } from 'hono';
import { livePath, readyPath } from '../reserved-paths.ts';
import type { GatewayContext, GatewayEnv } from './request-record.ts';
import { jsonResponse } from './sized-response.ts';

export function healthRoutes(isReady: () => boolean): Hono<GatewayEnv> {
  return new Hono<GatewayEnv>()
    .get(livePath, () => jsonResponse({ status: 'ok' }))
    .get(readyPath, () =>
      isReady() ? jsonResponse({ status: 'ok' }) : jsonResponse({ status: 'stopping' }, 503),
    );
}

export function isHealthCheck({ req: { path } }: GatewayContext): boolean {
  return path === livePath || path === readyPath;
}
