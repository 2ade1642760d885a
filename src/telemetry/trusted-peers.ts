/**
 * Trusted peers: those whose `traceparent` may decide that a request is recorded. `scope` marks
 * their requests, the `sampler` heeds the mark; without the SDK, `telemetry` hands the decision on.
 */
import { BlockList, isIP } from 'node:net';
import type { Context } from '@opentelemetry/api';
import type { Network } from './settings.ts';

// `createContextKey` makes only a symbol, and importing it would load the API without telemetry.
const trusted = Symbol('the sampling flag may be followed');

/** A context whose remote parent may decide whether the request is recorded. */
export function trustParent(context: Context): Context {
  return context.setValue(trusted, true);
}

export function isParentTrusted(context: Context): boolean {
  return context.getValue(trusted) === true;
}

/** Whether the address of a peer is in one of `networks`. */
export function createTrust(networks: readonly Network[]): (peer: string) => boolean {
  const list = new BlockList();
  for (const { address, bits, family } of networks) list.addSubnet(address, bits, family);
  return (peer) => {
    // IPv4 on a dual-stack socket: ::ffff:10.0.0.1
    const address = peer.replace(/^::ffff:(?=\d+\.)/, '');
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}
