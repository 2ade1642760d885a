/** Outcome → response. */
import type { Outcome } from '../engine/execution.ts';
import { degradedHeader, problemsOf } from './degraded.ts';
import type { Exchange } from './exchange.ts';

export function toResponse(outcome: Outcome, exchange: Exchange): Response {
  const { value, degraded } = outcome;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    // Until a composition can declare otherwise, nothing may keep what was merged for one client.
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': exchange.requestId,
  };
  if (degraded.length > 0) headers['plait-degraded'] = degradedHeader(degraded);
  const body =
    degraded.length > 0 && isObject(value) ? { ...value, $problems: problemsOf(degraded) } : value;
  return new Response(JSON.stringify(body ?? null), { headers });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
