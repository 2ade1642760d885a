/** Rules for caches between us and the client: for whom a response is, and what it depends on. */
import { headerOfAuthenticator } from '../dsl/authenticators.ts';
import type { ResponseCache } from '../dsl/cache.ts';
import type { AnyConfig } from '../dsl/composition.ts';
import { areOfCaller } from '../dsl/credentials.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Plan, PlanCache } from './plan.ts';

/** Headers for content negotiation. Any other may tell a service who the client is. */
const negotiation: ReadonlySet<string> = new Set(['accept', 'accept-language']);

export function responseCacheOf(
  { cache, headers, cookies }: Pick<AnyConfig, 'cache' | 'headers' | 'cookies'>,
  who: Plan['auth'],
  operations: readonly Operation[],
): Pick<Plan, 'cache' | 'identityBearing' | 'vary'> {
  const forwarded = operations.flatMap(({ forward, auth }) =>
    areOfCaller(auth) ? [...forward, 'authorization'] : forward,
  );
  const read = Object.keys(headers?.shape ?? {});
  const ofCookies = Object.keys(cookies?.shape ?? {}).length > 0 ? ['cookie'] : [];
  const ofAuth = who?.authenticators.map(headerOfAuthenticator) ?? [];
  const vary = [...new Set([...forwarded, ...read, ...ofCookies, ...ofAuth])].toSorted();
  // Not every cache respects Vary, so a header that may identify the client makes the response
  // private.
  const identityBearing = vary.some((name) => !negotiation.has(name));
  return { cache: cache && inEffect(cache, identityBearing), identityBearing, vary };
}

function inEffect(cache: ResponseCache, identityBearing: boolean): PlanCache {
  const visibility = identityBearing ? 'private' : (cache.visibility ?? 'public');
  return {
    visibility,
    maxAge: cache.maxAge,
    // Shared caches never store a private response.
    sMaxAge: visibility === 'private' ? undefined : cache.sMaxAge,
    staleWhileRevalidate: cache.staleWhileRevalidate ?? 0,
  };
}
