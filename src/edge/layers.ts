/** The layers that a request passes before it is routed. */
import type { Layer } from '../http/request-record.ts';
import { isWithin } from '../network.ts';
import type { Network } from '../network.ts';
import { allowHosts } from './allowed-hosts.ts';
import { addSecurityHeaders, allowOrigins, answerPreflights } from './browsers.ts';
import type { CorsOptions } from './browsers.ts';
import type { GatewayDefinition } from '../dsl/gateway.ts';
import { hygiene } from './hygiene.ts';
import { limitInProgress } from './in-progress.ts';

export interface EdgeOptions {
  /** The host names that are served, in lower case. Default: all. */
  readonly allowedHosts?: readonly string[];
  /** Proxies of ours, whose requests count for the address that they forward. Default: none. */
  readonly trustedPeers?: readonly Network[];
  /** Requests in progress of one client address. Default: any number. */
  readonly requestsPerAddress?: number;
  /** Requests in progress in all. Default: any number. */
  readonly requests?: number;
  /** The value of `defineGateway`. Default: no CORS, no security headers, no middleware. */
  readonly definition?: GatewayDefinition;
  /** Whether pages on the developer's machine may read answers. Default `false`. */
  readonly isDevelopment?: boolean;
  /** Whether browsers are told to use TLS only from now on. Default `false`. */
  readonly isSecure?: boolean;
}

/** The layers around every request, even one that is malformed; the first is outermost. */
export function browserLayers(edge: EdgeOptions = {}): Layer[] {
  const { definition, isSecure = false } = edge;
  if (definition === undefined) return [];
  const cors = corsOf(edge);
  const isCrossOrigin = definition.cors !== undefined;
  return [
    ...(definition.securityHeaders ? [addSecurityHeaders({ isCrossOrigin, isSecure })] : []),
    ...(cors === undefined ? [] : [allowOrigins(cors)]),
  ];
}

/** `undefined`: no page of another origin may read answers. */
function corsOf({ definition, isDevelopment = false }: EdgeOptions): CorsOptions | undefined {
  const cors = definition?.cors ?? (definition && isDevelopment ? noOrigins : undefined);
  return cors && { ...cors, isDevelopment };
}

const noOrigins = { origins: [], credentials: false, maxAgeS: 0 };

export interface MoreLayers {
  readonly rateLimits?: readonly Layer[];
  /** Called when a request is refused since too many are in progress. */
  readonly onRefusal?: (() => void) | undefined;
}

/** The layers around well-formed requests, `rateLimits` among them; the first is outermost. */
export function edgeLayers(
  edge: EdgeOptions = {},
  { rateLimits = [], onRefusal }: MoreLayers = {},
): Layer[] {
  const { allowedHosts, definition, trustedPeers = [], ...limits } = edge;
  const { requestsPerAddress = Infinity, requests = Infinity } = limits;
  const isTrusted = isWithin(trustedPeers);
  const cors = corsOf(edge);
  return [
    hygiene,
    ...(allowedHosts === undefined ? [] : [allowHosts(allowedHosts)]),
    ...(cors === undefined ? [] : [answerPreflights(cors)]),
    ...(Math.min(requestsPerAddress, requests) === Infinity
      ? []
      : [limitInProgress({ requestsPerAddress, requests, isTrusted, onRefusal })]),
    ...rateLimits,
    ...(definition?.middleware ?? []),
  ];
}
