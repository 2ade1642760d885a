/** Rate limits: how many requests of an address or principal are served within a window of time. */
import { CompositionError } from '../errors.ts';
import { numbers, positive, refuseUnknownKnobs } from './knobs.ts';
import { shownValue } from '../shown-value.ts';

/** At most `limit` within each window, which begins with the first request. */
export interface RateLimit {
  /** How much is admitted within a window: requests, or what they cost. */
  readonly limit: number;
  /** The length of the window, in seconds. */
  readonly windowS: number;
}

/** The limit of one composition. */
export interface RouteRateLimit extends RateLimit {
  /**
   * Whose requests are counted together. Default `'principal'`: who asks, by their credentials, or
   * the address of a client without any.
   */
  readonly by?: CountedBy;
  /**
   * How much of the limit a request takes. Default 1; `'calls'`: the most calls to services that
   * the composition can make for it.
   */
  readonly cost?: number | 'calls';
}

/** The limits of all requests of one client, whatever they ask for. */
export interface RateLimits {
  /** Of an address (IPv6: a /64), before anything else is known of the client. */
  readonly perAddress?: RateLimit;
  /** Of a principal, or of the address of a client without credentials. */
  readonly perPrincipal?: RateLimit;
}

export type CountedBy = 'principal' | 'address';

const knobs = {
  limit: { default: undefined },
  // Redis keeps a window for as long.
  windowS: { default: undefined, most: 31 * 86_400 },
} as const;

/** @throws CompositionError that names the option that cannot be used. */
export function checkedRateLimits(limits: RateLimits, place: string): RateLimits {
  refuseUnknownKnobs(limits, ['perAddress', 'perPrincipal'], place, 'rateLimits');
  const { perAddress, perPrincipal } = limits;
  return Object.freeze({
    ...(perAddress !== undefined && {
      perAddress: checkedLimit(perAddress, 'rateLimits.perAddress', place),
    }),
    ...(perPrincipal !== undefined && {
      perPrincipal: checkedLimit(perPrincipal, 'rateLimits.perPrincipal', place),
    }),
  });
}

/** @throws CompositionError that names the option that cannot be used. */
export function checkRouteLimit(limit: RouteRateLimit | undefined, place: string): void {
  if (limit === undefined) return;
  refuseUnknownKnobs(limit, ['limit', 'windowS', 'by', 'cost'], place, 'rateLimit');
  const { by = 'principal', cost = 1, ...rest } = limit;
  checkedLimit(rest, 'rateLimit', place);
  if (by !== 'principal' && by !== 'address')
    throw new CompositionError(
      place,
      `rateLimit.by is ${shownValue(by)}. Use "principal" or "address".`,
    );
  if (typeof cost === 'string' && cost !== 'calls')
    throw new CompositionError(
      place,
      `rateLimit.cost is ${shownValue(cost)}. Use a whole number, or "calls".`,
    );
  if (cost !== 'calls') positive(cost, 'rateLimit.cost', place);
}

function checkedLimit(config: RateLimit, knob: string, place: string): RateLimit {
  const { limit, windowS } = numbers(config, knobs, { knob, place });
  if (limit !== undefined && windowS !== undefined) return Object.freeze({ limit, windowS });
  const missing = limit === undefined ? 'limit' : 'windowS';
  throw new CompositionError(
    place,
    `${knob} has no ${missing}. Write { limit: 100, windowS: 60 } for 100 requests a minute.`,
  );
}
