/** What a request passes before it is routed. */
import type { Layer } from '../http/request-record.ts';
import { isWithin } from '../network.ts';
import type { Network } from '../network.ts';
import { allowHosts } from './allowed-hosts.ts';
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
}

/** The layers around the public side, the first outermost. */
export function edgeLayers(edge: EdgeOptions = {}): Layer[] {
  const { allowedHosts, trustedPeers = [], ...limits } = edge;
  const { requestsPerAddress = Infinity, requests = Infinity } = limits;
  const isTrusted = isWithin(trustedPeers);
  return [
    hygiene,
    ...(allowedHosts === undefined ? [] : [allowHosts(allowedHosts)]),
    ...(Math.min(requestsPerAddress, requests) === Infinity
      ? []
      : [limitInProgress({ requestsPerAddress, requests, isTrusted })]),
  ];
}
